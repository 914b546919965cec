Console.Error.WriteLine("danm");
return 0;
