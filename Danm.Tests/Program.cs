using Danm.Tests.ApiReference;
using Danm.Tests.ApiServer;
using Danm.Tests.Benchmarks;
using Danm.Tests.Demo;
using Danm.Tests.Deployment;
using Danm.Tests.Kernel;

switch (args)
{
    case ["demo"]:
        return await DemoProgram.RunAsync();
    case ["benchmark", .. var rest]:
        return await BenchmarkProgram.RunAsync(rest);
    case ["api-reference"]:
        return await ApiReferenceProgram.RunAsync();
    case ["apiserver", .. var rest]:
        return await ApiServerProgram.RunAsync(rest);
    case ["kubernetes-input", var folder]:
        return await KubernetesInput.WriteAsync(folder);
    case ["guest"]:
        return await GuestProgram.RunAsync();
    default:
        await Console.Error.WriteLineAsync("usage: demo | benchmark [processes|ipam] [--markdown FILE] [--runs N] [--warm-ups N] [--seconds N] [--plot FILE] | api-reference | apiserver PORT KUBECONFIG [MANIFESTS...] | kubernetes-input FOLDER | guest; for the tests: dotnet test");
        return 2;
}
