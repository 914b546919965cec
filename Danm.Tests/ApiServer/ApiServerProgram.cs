using System.Runtime.InteropServices;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer;

/// <summary>The server alone, to play with kubectl: <c>apiserver PORT KUBECONFIG [MANIFESTS…]</c>, until Ctrl-C.</summary>
public static class ApiServerProgram
{
    public static async Task<int> RunAsync(string[] args)
    {
        if (args.Length < 2 || !int.TryParse(args[0], out var port))
        {
            await Console.Error.WriteLineAsync("usage: apiserver PORT KUBECONFIG [MANIFESTS...]");
            return 2;
        }
        var stop = new TaskCompletionSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Port = port, Manifests = args[2..] });
            await File.WriteAllTextAsync(args[1], server.Kubeconfig(new KubeconfigOptions()));
            Console.WriteLine($"serving {server.Url}; kubeconfig in {args[1]}");
            await stop.Task;
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.TrySetResult();
        }
    }
}
