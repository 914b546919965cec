namespace Danm.Tests.Kernel;

/// <summary><c>guest</c>: a User Mode Linux guest to look around in. Each line of standard input is a Bash script of its own.</summary>
public static class GuestProgram
{
    /// <returns>0; 1 where no guest can boot, or one ended by itself.</returns>
    public static async Task<int> RunAsync()
    {
        if (GuestRequirements.Missing() is { } missing)
        {
            await Console.Error.WriteLineAsync($"error: {missing}");
            return 1;
        }

        try
        {
            await using var guest = await Guest.BootAsync();
            await Console.Error.WriteLineAsync($"Files below {Path.GetTempPath()} are shared with the host. Its end of the guest's link is vec0's other end, in {guest.NamespacePath}.");
            while (await ReadLineAsync() is { } script)
            {
                var result = await guest.RunAsync(script, TimeSpan.FromHours(1));
                await Console.Out.WriteAsync(result.Stdout);
                await Console.Error.WriteAsync(result.Stderr);
                if (result.ExitCode != 0)
                    await Console.Error.WriteLineAsync($"(exit code {result.ExitCode})");
            }

            return 0;
        }
        catch (GuestException e)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }
    }

    private static async Task<string?> ReadLineAsync()
    {
        if (!Console.IsInputRedirected)
            await Console.Error.WriteAsync("guest# ");
        return await Console.In.ReadLineAsync();
    }
}
