// Fixtures that are marked Parallelizable mostly wait: for a guest kernel, a grace, a lease. Two processors have room for three of them.
[assembly: LevelOfParallelism(3)]
