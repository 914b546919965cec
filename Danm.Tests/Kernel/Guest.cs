using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Danm.Tests.Kernel;

/// <summary>
/// A User Mode Linux guest on this machine's files, for the link types that the host's kernel may lack.
/// <para>
/// It sees the host's files as they are at the moment, and the host's temporary directory is shared both ways;
/// elsewhere the root is read-only, or what it writes stays in its memory (<see cref="GuestOptions.Overlays"/>).
/// Its interface <c>vec0</c> is linked to a network namespace on the host, where <see cref="Bind"/> opens a server's
/// socket. Processes, namespaces, tap device and memory file die with the process that booted it.
/// </para>
/// <example><code>
/// await using var guest = await Guest.BootAsync();
/// await guest.ExpectAsync("ip link add ipv1 link vec0 type ipvlan mode l2");
/// </code></example>
/// </summary>
internal sealed class Guest : IAsyncDisposable
{
    private const int ConsoleLimit = 64 * 1024;
    private static readonly TimeSpan HaltTimeout = TimeSpan.FromSeconds(10);

    private readonly GuestOptions _options;
    private readonly string _directory;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<int>> _commands = new();
    private readonly StringBuilder _console = new();
    private readonly Lock _sending = new();
    private Process _process = null!;
    private Task _reading = Task.CompletedTask;
    private int _lastCommand;
    private volatile bool _ended;
    private bool _disposed;

    private Guest(GuestOptions options)
    {
        _options = options;
        _directory = Directory.CreateTempSubdirectory("danm-guest-").FullName;
    }

    /// <summary>The host's addresses, as the guest sees the host.</summary>
    public static IPAddress HostAddress { get; } = IPAddress.Parse("192.0.2.1");

    /// <inheritdoc cref="HostAddress"/>
    public static IPAddress HostAddress6 { get; } = IPAddress.Parse("fd00:192:0:2::1");

    /// <summary>The guest's addresses on <c>vec0</c>.</summary>
    public static IPAddress Address { get; } = IPAddress.Parse("192.0.2.2");

    /// <inheritdoc cref="Address"/>
    public static IPAddress Address6 { get; } = IPAddress.Parse("fd00:192:0:2::2");

    /// <summary>The host's network namespace at the other end of the guest's link.</summary>
    public string NamespacePath => $"/proc/{_process.Id}/ns/net";

    /// <summary>A directory of the host that host and guest share, under the same path; it goes with the guest.</summary>
    public string SharedDirectory => Path.Combine(_directory, "shared");

    /// <summary>The process that all of the guest's processes die with.</summary>
    internal int ProcessId => _process.Id;

    /// <summary>What the guest's kernel and set-up printed: the last 64 KiB.</summary>
    public string ConsoleText
    {
        get
        {
            lock (_console)
                return _console.ToString();
        }
    }

    /// <summary>
    /// Where no guest can boot, fails the test if CI=true, and otherwise skips it and says what to do.
    /// </summary>
    public static void Require()
    {
        if (GuestRequirements.Missing() is not { } reason)
            return;
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail(reason);
        TestContext.Progress.WriteLine($"SKIPPED {TestContext.CurrentContext.Test.FullName}: {reason}");
        Assert.Ignore(reason);
    }

    /// <summary>Boots a guest; it takes commands when this returns.</summary>
    /// <exception cref="GuestException">It did not within the time, or its set-up failed; with its console's text.</exception>
    public static async Task<Guest> BootAsync(GuestOptions? options = null)
    {
        Require();
        var guest = new Guest(options ?? new GuestOptions());
        try
        {
            guest.WriteFiles();
            guest.Start();
            await guest._ready.Task.WaitAsync(guest._options.BootTimeout);
            return guest;
        }
        catch (Exception e)
        {
            // Its last words arrive while it is taken down.
            await guest.DisposeAsync();
            var cause = e is TimeoutException ? $"not ready within {guest._options.BootTimeout.TotalSeconds:0} s" : e.Message;
            throw new GuestException($"boot a User Mode Linux guest: {cause}\n{guest.ConsoleSection()}", e);
        }
    }

    /// <summary>
    /// Runs a Bash script in the guest, in a shell of its own, with an empty standard input.
    /// Any number may run at once, on the guest's one CPU.
    /// </summary>
    /// <exception cref="GuestTimeoutException">It took too long; its process group was killed.</exception>
    /// <exception cref="GuestException">The guest ended.</exception>
    public async Task<GuestResult> RunAsync(string script, TimeSpan? timeout = null)
    {
        var limit = timeout ?? _options.CommandTimeout;
        var id = Interlocked.Increment(ref _lastCommand);
        var command = NewCommand(id);
        var file = Path.Combine(_directory, id.ToString());
        await File.WriteAllTextAsync($"{file}.sh", script + "\n");
        try
        {
            Send($"run {id}");
            var exitCode = await command.WaitAsync(limit);
            return await ReadResultAsync(exitCode);
        }
        catch (TimeoutException)
        {
            Task killed = NewCommand(id);
            Send($"kill {id}");
            await killed.WaitAsync(HaltTimeout).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var result = await ReadResultAsync(128 + 9);
            throw new GuestTimeoutException(Describe($"not done within {limit.TotalSeconds:0.###} s", script, result));
        }
        finally
        {
            _commands.TryRemove(id, out _);
            foreach (var ending in (ReadOnlySpan<string>)[".sh", ".out", ".err"])
                File.Delete(file + ending);
        }

        async Task<GuestResult> ReadResultAsync(int exitCode) =>
            new(exitCode, await ReadAsync($"{file}.out"), await ReadAsync($"{file}.err"));

        static async Task<string> ReadAsync(string path) => File.Exists(path) ? await File.ReadAllTextAsync(path) : "";
    }

    /// <summary>Like <see cref="RunAsync"/>, for a script that must succeed; returns its standard output.</summary>
    /// <exception cref="GuestException">It did not; with its output and the guest's console.</exception>
    public async Task<string> ExpectAsync(string script, TimeSpan? timeout = null)
    {
        var result = await RunAsync(script, timeout);
        return result.ExitCode == 0
            ? result.Stdout
            : throw new GuestException(Describe($"exit code {result.ExitCode}", script, result));
    }

    /// <summary>
    /// A bound TCP socket in the host's end of the guest's network. Kestrel takes it as
    /// <c>SocketTransportOptions.CreateBoundListenSocket</c>.
    /// </summary>
    public Socket Bind(EndPoint endPoint)
    {
        var socket = NamespaceSocket.OpenTcp(NamespacePath, endPoint.AddressFamily);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = true;
            socket.Bind(endPoint);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Halts the guest, or kills it if that takes too long, and removes its directory.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        if (_process is not null)
        {
            if (_ready.Task.IsCompletedSuccessfully && !_ended)
            {
                try
                {
                    Send("halt");
                    await _process.WaitForExitAsync().WaitAsync(HaltTimeout);
                }
                catch (Exception e) when (e is TimeoutException or GuestException)
                {
                    // Killed below.
                }
            }

            // Of a process that has ended this does nothing; the others end because they are in its PID namespace.
            _process.Kill();
            await _process.WaitForExitAsync();
            // The pipes end when the last process that holds them has.
            await _reading.WaitAsync(HaltTimeout);
        }

        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>The program and arguments that start a guest with the files in <paramref name="directory"/>.</summary>
    internal static string[] CommandLine(string directory) =>
    [
        // The kernel kills unshare when the thread that started it ends, and unshare's child, process 1 of a
        // namespace, with it. That takes every other process of the guest along: no orphan can remain.
        "setpriv", "--pdeathsig", "KILL", "--",
        "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--",
        "bash", Path.Combine(directory, "guest-boot.sh"), directory,
    ];

    private void WriteFiles()
    {
        Directory.CreateDirectory(SharedDirectory);
        foreach (var script in (ReadOnlySpan<string>)["guest-boot.sh", "guest-init.sh"])
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Kernel", script), Path.Combine(_directory, script));

        File.WriteAllText(Path.Combine(_directory, "options"), $"""
            temporary={Quote(Path.GetFullPath(Path.GetTempPath()))}
            memory={_options.Memory}
            mtu={_options.Mtu}
            modules={List(_options.Modules)}
            overlays={List(_options.Overlays)}
            tmpfs={List(_options.EmptyDirectories)}
            host_addresses=({HostAddress}/24 {HostAddress6}/64)
            addresses=({Address}/24 {Address6}/64)

            """);

        static string List(IEnumerable<string> words) => $"({string.Join(' ', words.Select(Quote))})";
        static string Quote(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    private void Start()
    {
        var command = CommandLine(_directory);
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/sbin:/bin";

        // Parent death means the death of the thread that started the process: a pool thread would end too early.
        var started = new TaskCompletionSource<Process>();
        new Thread(() =>
        {
            try
            {
                var process = Process.Start(start)!;
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception e)
            {
                started.TrySetException(e);
            }
        })
        { IsBackground = true, Name = "guest" }.Start();
        _process = started.Task.GetAwaiter().GetResult();
        _reading = Task.WhenAll(ReadAnswersAsync(_process.StandardOutput), ReadConsoleAsync(_process.StandardError));
    }

    private async Task ReadAnswersAsync(StreamReader answers)
    {
        while (await answers.ReadLineAsync() is { } line)
        {
            switch (line.Split(' '))
            {
                case ["ready"]:
                    _ready.TrySetResult();
                    break;
                case ["exit", var id, var status]:
                    Complete(id, int.Parse(status));
                    break;
                case ["killed", var id]:
                    Complete(id, 128 + 9);
                    break;
                default:
                    _ready.TrySetException(new GuestException(line));
                    break;
            }
        }

        End("the guest ended");

        void Complete(string id, int status)
        {
            if (_commands.TryGetValue(int.Parse(id), out var command))
                command.TrySetResult(status);
        }
    }

    private async Task ReadConsoleAsync(StreamReader console)
    {
        while (await console.ReadLineAsync() is { } line)
        {
            lock (_console)
            {
                _console.AppendLine(line);
                if (_console.Length > ConsoleLimit)
                    _console.Remove(0, _console.Length - ConsoleLimit);
            }

            // After a panic the kernel waits for someone to look at it.
            if (line.Contains("Kernel panic", StringComparison.Ordinal))
                End(line);
        }
    }

    private void End(string reason)
    {
        _ended = true;
        _ready.TrySetException(new GuestException(reason));
        foreach (var command in _commands.Values)
            command.TrySetException(new GuestException($"{reason}\n{ConsoleSection()}"));
    }

    private Task<int> NewCommand(int id)
    {
        var command = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _commands[id] = command;
        if (_ended)
            command.TrySetException(new GuestException($"the guest ended\n{ConsoleSection()}"));
        return command.Task;
    }

    private void Send(string line)
    {
        try
        {
            lock (_sending)
            {
                _process.StandardInput.Write(line + "\n");
                _process.StandardInput.Flush();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw new GuestException($"the guest ended\n{ConsoleSection()}", e);
        }
    }

    private string Describe(string what, string script, GuestResult result) => $"""
        {what} in the guest:
        {script}
        --- standard output
        {result.Stdout.TrimEnd()}
        --- standard error
        {result.Stderr.TrimEnd()}
        {ConsoleSection()}
        """;

    private string ConsoleSection() => $"--- guest console\n{ConsoleText.TrimEnd()}";
}
