using System.IO.Pipes;
using Danm.Cni;

namespace Danm.Tests.Cni;

public class FdStreamTests
{
    [Test]
    public void Reads_and_writes_the_descriptor_until_its_end()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.In);
        var writer = pipe.ClientSafePipeHandle;
        using var output = new FdStream((int)writer.DangerousGetHandle());
        using var input = new FdStream((int)pipe.SafePipeHandle.DangerousGetHandle());

        output.Write("hello"u8);
        pipe.DisposeLocalCopyOfClientHandle();

        var buffer = new byte[16];
        input.Read(buffer).Should().Be(5);
        input.Read(buffer).Should().Be(0);
        input.IsTerminal.Should().BeFalse();
    }

    [Test]
    public void A_pipe_without_a_reader_is_an_IO_error()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var output = new FdStream((int)pipe.SafePipeHandle.DangerousGetHandle());
        pipe.DisposeLocalCopyOfClientHandle();

        FluentActions.Invoking(() => output.Write("lost"u8)).Should().Throw<IOException>().WithMessage("write of file descriptor *: Broken pipe");
    }

    [Test]
    public void A_closed_descriptor_is_an_IO_error()
    {
        using var closed = new FdStream(int.MaxValue);

        FluentActions.Invoking(() => closed.Read(new byte[1])).Should().Throw<IOException>().WithMessage("read of file descriptor 2147483647: Bad file descriptor");
    }
}
