using Danm.Tests.ApiServer;
using Danm.Tests.Demo;

switch (args)
{
    case ["demo"]:
        return await DemoProgram.RunAsync();
    case ["apiserver", .. var rest]:
        return await ApiServerProgram.RunAsync(rest);
    default:
        await Console.Error.WriteLineAsync("usage: demo | apiserver PORT KUBECONFIG [MANIFESTS...]; for the tests: dotnet test");
        return 2;
}
