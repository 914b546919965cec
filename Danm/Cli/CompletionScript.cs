namespace Danm.Cli;

/// <summary>
/// Scripts that make a shell ask this program for completions, through the <c>[suggest:position]</c> directive of
/// System.CommandLine. The program's own name is cut off the line, so that the script serves <c>/opt/cni/bin/danm</c> too.
/// </summary>
internal static class CompletionScript
{
    /// <summary>The shells that there is a script for.</summary>
    public static readonly string[] Shells = ["bash", "zsh", "fish"];

    /// <summary>The script for one of <see cref="Shells"/>.</summary>
    public static string For(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        "fish" => Fish,
        _ => throw new ArgumentOutOfRangeException(nameof(shell), shell, "no such shell"),
    };

    private const string Bash = """
        # bash completion for danm. For this shell:   source <(danm completion bash)
        # For all: danm completion bash > /etc/bash_completion.d/danm
        _danm() {
            local program=${COMP_WORDS[0]}
            local line=${COMP_LINE:${#program}} point=$((COMP_POINT - ${#program}))
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(env -u CNI_COMMAND "$program" "[suggest:$point]" "$line" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -F _danm danm

        """;

    private const string Zsh = """
        #compdef danm
        # zsh completion for danm. For this shell:   source <(danm completion zsh)
        # For all: danm completion zsh > "${fpath[1]}/_danm"
        _danm() {
            local program=${words[1]}
            local line=" ${(j: :)words[2,CURRENT]}"
            local -a candidates=("${(@f)$(env -u CNI_COMMAND $program "[suggest:${#line}]" "$line" 2>/dev/null)}")
            compadd -- $candidates
        }
        if [ "$funcstack[1]" = _danm ]; then _danm; else compdef _danm danm; fi

        """;

    private const string Fish = """
        # fish completion for danm. For this shell:   danm completion fish | source
        # For all: danm completion fish > ~/.config/fish/completions/danm.fish
        function __danm_complete
            set -l words (commandline -opc)
            set -l program $words[1]
            set -l line " "(string join -- " " $words[2..-1] (commandline -ct))
            env -u CNI_COMMAND $program "[suggest:"(string length -- $line)"]" $line 2>/dev/null
        end
        complete -c danm -f -a '(__danm_complete)'

        """;
}
