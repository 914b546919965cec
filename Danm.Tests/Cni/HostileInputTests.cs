using CsCheck;
using Danm.Cni;

namespace Danm.Tests.Cni;

public class HostileInputTests
{
    private static readonly string[] Names = ["CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_ARGS", "CNI_PATH", "CNI_CONF_DIR"];

    private static readonly string[] Commands = ["ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"];

    private static readonly Gen<string> Command = Gen.OneOf(Gen.Int[0, 5].Select(i => Commands[i]), Gen.String);

    private static readonly Gen<byte[]> Config = Gen.OneOf(
        Gen.Byte.Array[0, 200],
        Mutated("""{"cniVersion":"1.1.0","name":"net","type":"danm","timeoutSeconds":30,"prevResult":{"ips":[{"address":"10.0.0.1/8"}]},"cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}]}"""u8.ToArray()));

    [Test]
    public void Any_environment_and_input_gives_a_result_or_an_error() =>
        Gen.Select(Command, Gen.String.Array[6], Gen.Bool, Config).Sample((command, values, valid, config) =>
        {
            var environment = valid ? TestPlugin.Environment(command) : Names.Zip(values.Prepend(command)).ToDictionary(pair => pair.First, pair => pair.Second);

            var answer = new TestPlugin().Run(environment, config);

            answer.Log.Should().BeEmpty("nothing here is a fault of ours");
            if (answer.ExitCode == 0)
            {
                answer.Output.Should().Match(text => text.Length == 0 || text.StartsWith("{\"cniVersion\":\""));
                return;
            }

            answer.ExitCode.Should().Be(1);
            answer.Code.Should().BeOneOf(1, 4, 6, 7);
            answer.Msg.Where(c => char.IsControl(c) && c != '\n').Should().BeEmpty();
        }, iter: 3000);

    [Test]
    public void Any_bytes_are_a_result_or_an_error() =>
        Gen.OneOf(Gen.Byte.Array[0, 100], Mutated(CniResultWriter.Write(new CniResult { Interfaces = [new CniInterface("a") { Mtu = 1 }], Routes = [new CniRoute(Danm.Netlink.CidrAddress.Parse("::/0"))] }, SpecVersion.Newest).ToArray()))
            .Sample(bytes =>
            {
                try
                {
                    CniResultReader.Read(bytes, "the result");
                }
                catch (CniException error)
                {
                    error.Code.Should().Be(6);
                }
            }, iter: 3000);

    private static Gen<byte[]> Mutated(byte[] valid) =>
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte, Gen.Int[0, valid.Length], Gen.Bool, (at, value, length, cut) =>
        {
            var bytes = (byte[])valid.Clone();
            bytes[at] = value;
            return cut ? bytes[..length] : bytes;
        });
}
