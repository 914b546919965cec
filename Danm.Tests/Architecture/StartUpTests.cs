using Mono.Cecil;

namespace Danm.Tests.Architecture;

/// <summary>What each start of the CNI plugin would pay for, whoever calls it.</summary>
public class StartUpTests
{
    /// <summary>
    /// Reading JSON from a stream brings a state machine and its statics for every type that any JSON context knows, and the runtime
    /// allocates all statics of a program when it starts: a thousand of them for the sake of one call.
    /// </summary>
    [Test]
    public void JSON_is_read_from_memory()
    {
        using var module = ModuleDefinition.ReadModule(typeof(global::Danm.Netlink.CidrAddress).Assembly.Location);

        module.GetMemberReferences().Where(m => m.DeclaringType.FullName == "System.Text.Json.JsonSerializer").Select(m => m.Name)
            .Should().Contain("Deserialize").And.NotContain(["DeserializeAsync", "DeserializeAsyncEnumerable", "SerializeAsync"]);
    }
}
