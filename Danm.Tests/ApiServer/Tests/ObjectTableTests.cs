using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Tests;

public sealed class ObjectTableTests
{
    [Test]
    public async Task An_object_is_there_at_every_moment_of_its_replacement()
    {
        var table = new ObjectTable();
        var current = new StoredObject { Key = "a", Name = "a" };
        table.Apply(new WatchEvent(1, null, current, null), 10);
        var writer = Task.Run(() =>
        {
            for (var version = 2L; version < 200_000; version++)
            {
                var next = new StoredObject { Key = "a", Name = "a", ResourceVersion = version };
                table.Apply(new WatchEvent(version, current, next, null), 10);
                current = next;
            }
        });

        var missed = 0;
        while (!writer.IsCompleted)
            missed += table.Find(null, "a") is null ? 1 : 0;

        await writer;
        missed.Should().Be(0);
    }
}
