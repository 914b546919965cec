return args is ["benchmark", .. var rest] ? await Danm.Tests.Benchmarks.BenchmarkProgram.RunAsync(rest) : 0;
