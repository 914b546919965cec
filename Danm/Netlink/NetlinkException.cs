namespace Danm.Netlink;

/// <summary>The kernel refused a request, or the conversation with it broke.</summary>
/// <remarks>The message reads <c>add link "eth0": no such device (ENODEV): what the kernel said</c>.</remarks>
public sealed class NetlinkException : Exception
{
    internal NetlinkException(int errno, string operation, string? kernelMessage = null)
        : base(Compose(errno, operation, kernelMessage))
    {
        Errno = errno;
        Operation = operation;
        KernelMessage = kernelMessage;
    }

    /// <summary>The error number of errno(3), positive.</summary>
    public int Errno { get; }

    /// <summary>What was asked: a verb and the quoted object.</summary>
    public string Operation { get; }

    /// <summary>The kernel's own words (<c>NLMSGERR_ATTR_MSG</c>), if it had any.</summary>
    public string? KernelMessage { get; }

    private static string Compose(int errno, string operation, string? kernelMessage)
    {
        var text = $"{operation}: {Netlink.Errno.Describe(errno)}";
        if (!string.IsNullOrEmpty(kernelMessage))
            text += $": {kernelMessage}";
        // A link's name or alias is whatever bytes somebody chose; none may reach a terminal as a control sequence.
        return string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) ? '?' : source[i];
        });
    }
}
