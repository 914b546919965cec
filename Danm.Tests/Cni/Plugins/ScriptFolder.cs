namespace Danm.Tests.Cni.Plugins;

/// <summary>A folder of plugins that are shell scripts.</summary>
internal sealed class ScriptFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("danm-plugins-").FullName;

    /// <summary>Writes a script that can be run; gives its path.</summary>
    public string Add(string name, string script)
    {
        var path = PathOf(name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    public string PathOf(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
