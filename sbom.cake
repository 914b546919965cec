using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

// What an executable is made of, as a CycloneDX 1.6 document: the NuGet packages that the compiler was given, and the Debian packages of what the
// linker read, each named by its own files on this machine.
sealed class BillOfMaterials(string packages, string linker, Func<string, string[], string> run)
{
    // Debian's copyright files are prose; of these source packages it is known.
    static readonly Dictionary<string, string> Licenses = new()
    {
        ["gcc"] = "GPL-3.0-or-later WITH GCC-exception-3.1", ["glibc"] = "LGPL-2.1-or-later", ["openssl"] = "Apache-2.0", ["zlib"] = "Zlib",
    };

    // The compiler's and the linker's inputs: paths of files.
    public JsonObject Of(string executable, string version, string commit, DateTimeOffset time, IEnumerable<string> inputs)
    {
        var files = inputs.Select(System.IO.Path.GetFullPath).Distinct().ToList();
        var nuget = files.Where(f => f.StartsWith(packages)).Select(f => string.Join('/', f[packages.Length..].Split('/')[..2])).Distinct().Select(Package);
        var system = files.Where(f => !f.StartsWith(packages) && Regex.IsMatch(f, @"\.(a|o)$")).Select(Owner).Where(o => o is not null).DistinctBy(o => (string)o["bom-ref"]);
        var components = nuget.Concat(system).OrderBy(c => (string)c["bom-ref"], StringComparer.Ordinal).ToArray();
        var digest = SHA256.HashData(System.IO.File.ReadAllBytes(executable));
        var self = new JsonObject
        {
            ["type"] = "application",
            ["bom-ref"] = "danm",
            ["name"] = "danm",
            ["version"] = version,
            ["hashes"] = Hash("SHA-256", Convert.ToHexStringLower(digest)),
            ["licenses"] = License("BSD-3-Clause"),
        };
        if (commit != "")
            self["pedigree"] = new JsonObject { ["commits"] = new JsonArray(new JsonObject { ["uid"] = commit }) };
        return new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            // Not random but the executable's: a UUID of version 8.
            ["serialNumber"] = $"urn:uuid:{Uuid(digest)}",
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["timestamp"] = time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
                ["lifecycles"] = new JsonArray(new JsonObject { ["phase"] = "build" }),
                ["tools"] = new JsonObject { ["components"] = new JsonArray(Tool(".NET SDK", "dotnet"), Tool("clang", "clang"), Tool("ld", linker)) },
                ["component"] = self,
            },
            ["components"] = new JsonArray(components),
            ["dependencies"] = new JsonArray(
                [new JsonObject { ["ref"] = "danm", ["dependsOn"] = new JsonArray([.. components.Select(c => JsonValue.Create((string)c["bom-ref"]))]) }]),
        };
    }

    JsonObject Package(string folder)
    {
        var (path, version) = ($"{packages}{folder}", folder.Split('/')[1]);
        var metadata = XDocument.Load(System.IO.Directory.GetFiles(path, "*.nuspec").Single()).Root.Elements().Single(e => e.Name.LocalName == "metadata");
        var id = metadata.Elements().First(e => e.Name.LocalName == "id").Value;
        var component = Component(id, version, $"pkg:nuget/{id}@{version}");
        // NuGet writes it in base 64.
        component["hashes"] = Hash("SHA-512", Convert.ToHexStringLower(Convert.FromBase64String(System.IO.File.ReadAllText(System.IO.Directory.GetFiles(path, "*.nupkg.sha512").Single()))));
        if (metadata.Elements().FirstOrDefault(e => e.Name.LocalName == "license" && (string)e.Attribute("type") == "expression") is { } license)
            component["licenses"] = License(license.Value);
        return component;
    }

    // The Debian package that a file is of; null for what this build made itself. A library of no package is named by its content.
    JsonObject Owner(string file)
    {
        if (file.StartsWith(Environment.CurrentDirectory))
            return null;
        // Where /lib is /usr/lib, packages know a file by either.
        var owner = ((string[])[file, file.Replace("/usr/", "/"), "/usr" + file]).Select(f => run("dpkg-query", ["--search", f])).FirstOrDefault(o => o != "");
        if (owner is null)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(System.IO.File.ReadAllBytes(file)));
            var library = Component(System.IO.Path.GetFileName(file), "unknown", $"file:{hash}");
            library.Remove("purl");
            library["hashes"] = Hash("SHA-256", hash);
            return library;
        }

        var fields = run("dpkg-query", ["--show", "--showformat=${Package} ${Version} ${Architecture} ${source:Package}", owner.Split(": ")[0]]).Split(' ');
        var (name, version, architecture, source) = (fields[0], fields[1], fields[2], fields[3]);
        var system = System.IO.File.ReadLines("/etc/os-release").Select(l => l.Split('=')).ToDictionary(p => p[0], p => p[^1].Trim('"'));
        var component = Component(name, version, $"pkg:deb/{system["ID"]}/{name}@{Uri.EscapeDataString(version)}?arch={architecture}&distro={system["ID"]}-{system["VERSION_ID"]}&upstream={source}");
        if (Licenses.GetValueOrDefault(Regex.Replace(source, @"(-cross|-\d+(-cross)?(-ports)?)$", "")) is { } license)
            component["licenses"] = License(license);
        return component;
    }

    JsonObject Tool(string name, string program) =>
        new() { ["type"] = "application", ["name"] = name, ["version"] = Regex.Match(run(program, ["--version"]).Split('\n')[0], @"\d+\.\d+\S*").Value };

    static JsonObject Component(string name, string version, string purl) => new() { ["type"] = "library", ["bom-ref"] = purl, ["name"] = name, ["version"] = version, ["purl"] = purl };

    static JsonArray License(string expression) => [new JsonObject { ["expression"] = expression }];

    static JsonArray Hash(string algorithm, string content) => [new JsonObject { ["alg"] = algorithm, ["content"] = content }];

    static Guid Uuid(byte[] digest)
    {
        var bytes = digest[..16];
        (bytes[6], bytes[8]) = ((byte)(bytes[6] & 0x0f | 0x80), (byte)(bytes[8] & 0x3f | 0x80));
        return new Guid(bytes, bigEndian: true);
    }
}
