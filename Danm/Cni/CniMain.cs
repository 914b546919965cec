using System.Text;

namespace Danm.Cni;

/// <summary>
/// The frame around a CNI plugin: request in, result or error out, and nothing else on standard output. No command line,
/// host builder, logger factory or container of services is built here: a runtime starts this program for every Pod.
/// </summary>
public static class CniMain
{
    /// <summary>Serves the one call that environment and standard input describe.</summary>
    /// <param name="plugin">Makes the plugin; not called for VERSION, nor for a request that is not valid.</param>
    /// <param name="isForeign">Whether the configuration is that of another plugin, as an IPAM plugin gets it.</param>
    /// <returns>The exit code: 0, or 1 with an error on standard output.</returns>
    public static int Run(Func<ICniPlugin> plugin, bool isForeign = false) =>
        Run(plugin, Environment.GetEnvironmentVariable, new FdStream(0), new FdStream(1), new FdStream(2), isForeign);

    internal static int Run(
        Func<ICniPlugin> plugin, Func<string, string?> environment, Stream input, Stream output, Stream log, bool isForeign = false)
    {
        var version = SpecVersion.Newest;
        try
        {
            var command = CniRequestReader.ReadCommand(environment);
            if (command == CniCommand.Version)
                return Write(output, CniVersionWriter.Write(VersionSpokenBy(input)), exitCode: 0);

            var config = ReadConfig(input);
            version = VersionOf(config);
            var request = CniRequestReader.Read(command, environment, config, isForeign);
            var result = Call(plugin, request, log);
            return result is null ? 0 : Write(output, CniResultWriter.Write(result, version), exitCode: 0);
        }
        catch (CniException error)
        {
            return Write(output, CniErrorWriter.Write(error, version), exitCode: 1);
        }
        catch (Exception error)
        {
            Log(log, error);
            var fault = new CniException(CniErrorCode.Internal, $"internal error: {error.GetType().Name}: {error.Message}");
            return Write(output, CniErrorWriter.Write(fault, version), exitCode: 1);
        }
    }

    private static CniResult? Call(Func<ICniPlugin> plugin, CniRequest request, Stream log)
    {
        using var timeout = new CancellationTokenSource(request.Config.Timeout);
        try
        {
            return Dispatch(plugin(), request, timeout.Token).GetAwaiter().GetResult();
        }
        catch (Exception error) when (error is OperationCanceledException or TimeoutException)
        {
            Log(log, error);
            throw new CniException(
                CniErrorCode.TryAgainLater,
                timeout.IsCancellationRequested
                    ? $"{Name(request.Command)} for network {CniText.Quote(request.Config.Name)} did not end within {request.Config.Timeout.TotalSeconds} s (timeoutSeconds)"
                    : $"{Name(request.Command)} for network {CniText.Quote(request.Config.Name)} was interrupted: {error.Message}",
                inner: error);
        }
    }

    private static async Task<CniResult?> Dispatch(ICniPlugin plugin, CniRequest request, CancellationToken cancellationToken)
    {
        switch (request.Command)
        {
            case CniCommand.Add:
                return await plugin.Add(request, cancellationToken).ConfigureAwait(false);
            case CniCommand.Del:
                await plugin.Del(request, cancellationToken).ConfigureAwait(false);
                return null;
            case CniCommand.Check:
                await plugin.Check(request, cancellationToken).ConfigureAwait(false);
                return null;
            case CniCommand.Gc:
                await plugin.Gc(request, cancellationToken).ConfigureAwait(false);
                return null;
            default:
                await plugin.Status(request, cancellationToken).ConfigureAwait(false);
                return null;
        }
    }

    private static string Name(CniCommand command) => command switch
    {
        CniCommand.Add => "ADD",
        CniCommand.Del => "DEL",
        CniCommand.Check => "CHECK",
        CniCommand.Gc => "GC",
        _ => "STATUS",
    };

    // Since 0.4.0 the caller says what it speaks; before that it sent nothing. Whatever it sent, VERSION has an answer.
    private static SpecVersion VersionSpokenBy(Stream input)
    {
        if (input is FdStream { IsTerminal: true })
            return SpecVersion.Newest;
        try
        {
            return VersionOf(ReadConfig(input));
        }
        catch (CniException)
        {
            return SpecVersion.Newest;
        }
    }

    /// <summary>The version for an error about a configuration that may be anything.</summary>
    private static SpecVersion VersionOf(ReadOnlyMemory<byte> config)
    {
        if (config.IsEmpty)
            return SpecVersion.Newest;
        try
        {
            return NetConfReader.ReadVersion(config, out _) ?? SpecVersion.Newest;
        }
        catch (CniException)
        {
            return SpecVersion.Newest;
        }
    }

    /// <summary>Reads standard input to its end, or to one byte more than a document may have.</summary>
    private static ReadOnlyMemory<byte> ReadConfig(Stream input)
    {
        var buffer = new byte[8192];
        var length = 0;
        try
        {
            while (length <= CniJsonReader.MaxBytes)
            {
                if (length == buffer.Length)
                    Array.Resize(ref buffer, Math.Min(buffer.Length * 4, CniJsonReader.MaxBytes + 1));
                var count = input.Read(buffer.AsSpan(length));
                if (count == 0)
                    break;
                length += count;
            }
        }
        catch (IOException error)
        {
            throw new CniException(CniErrorCode.IoFailure, $"the network configuration cannot be read from standard input: {error.Message}", inner: error);
        }

        return buffer.AsMemory(0, length);
    }

    private static int Write(Stream output, ReadOnlyMemory<byte> document, int exitCode)
    {
        try
        {
            output.Write(document.Span);
            return exitCode;
        }
        catch (IOException)
        {
            // Nobody listens any more. The runtime that has gone away calls DEL when it is back.
            return 1;
        }
    }

    private static void Log(Stream log, Exception error)
    {
        try
        {
            log.Write(Encoding.UTF8.GetBytes(CniText.Clean(error.ToString(), CniErrorWriter.MaxDetails, keepLineFeeds: true) + "\n"));
        }
        catch (IOException)
        {
            // There is nowhere left to say it.
        }
    }
}
