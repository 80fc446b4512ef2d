"""Manual pages and completions: made from the same source as --help, for every subcommand."""
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import unittest

from lab import BIN, run


# compadd tells what it would offer instead of offering it.
ZSH_SETUP = """
PROMPT= RPROMPT=
unsetopt prompt_sp prompt_cr
stty -echo
fpath=(FOLDER $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then
    builtin compadd "$@"
    return $?
  fi
  local -a hits
  builtin compadd -O hits "$@"
  [[ ${#hits} -gt 0 ]] && print -r -- "HIT<${(j: :)hits}>"
  builtin compadd "$@"
}
tell() { _main_complete "$@"; print -r -- THAT-IS-ALL; compstate[insert]= ; compstate[list]= }
zle -C tell complete-word tell
bindkey '^I' tell
print SET-UP-DONE
"""


def read_until(terminal, mark, seconds=60):
    text = ""
    while mark not in text:
        if not select.select([terminal], [], [], seconds)[0]:
            raise AssertionError(f"no {mark!r} in {text!r}")
        text += os.read(terminal, 65536).decode(errors="replace")
    return text


def commands(words=()):
    """Every subcommand as a tuple of words, from --help itself."""
    text = run(*words, "--help").stdout
    names = []
    if "Subcommands:" in text:
        for line in text.split("Subcommands:")[1].split("\n"):
            if re.match(r"  [a-z]", line):
                names.append(line.split()[0])
    for name in names:
        yield (*words, name)
        yield from commands((*words, name))


def options(words):
    """The long options that --help shows."""
    return set(re.findall(r"(?:^  |,)(?:-\w,)?(--[a-z0-9-]+)", run(*words, "--help").stdout, re.M))


class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.commands = [(), *commands()]
        assert len(cls.commands) > 20, cls.commands
        done = run("man", "--all-into", cls.folder / "man1")
        assert done.returncode == 0, done.stderr
        for shell in ("bash", "zsh", "fish"):
            (cls.folder / shell).write_text(run("completion", shell).stdout)

    def test_a_page_for_each_that_troff_takes_without_a_warning(self):
        for words in self.commands:
            page = self.folder / "man1" / ("-".join(("pnfslab", *words)) + ".1")
            shown = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-c", "-rLL=120n", page], capture_output=True, text=True)
            self.assertEqual(shown.stderr, "", page)
            text = re.sub(r".\x08", "", shown.stdout).replace("‐", "-").replace("−", "-")
            for option in options(words):
                self.assertIn(option, text, words)
            for part in ("NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS"):
                self.assertIn(part, text, words)
            self.assertEqual(run("man", *words).stdout, page.read_text())
        self.assertEqual(len(list((self.folder / "man1").iterdir())), len(self.commands))
        self.assertEqual(run("man", "nonsense").returncode, 2)

    def test_help_has_an_example_everywhere(self):
        for words in self.commands:
            done = run(*words, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example:", done.stdout, words)

    def bash(self, *words):
        quoted = " ".join(f"'{w}'" for w in ("pnfslab", *words))
        script = f"source {self.folder}/bash; COMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pnfslab; " \
                 "printf '%s\\n' \"${COMPREPLY[@]}\""
        done = subprocess.run(["bash", "--norc", "-c", script], capture_output=True, text=True, cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def fish(self, *words):
        line = " ".join(("pnfslab", *words))
        script = f"source {self.folder}/fish; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, cwd=self.folder,
                              env={"HOME": str(self.folder), "PATH": "/usr/bin:/bin"})
        self.assertEqual(done.stderr, "")
        return {l.split("\t")[0] for l in done.stdout.splitlines()}

    def zsh(self, lines):
        """What an interactive zsh offers for each line when TAB is pressed."""
        setup = self.folder / "setup.zsh"
        (self.folder / "zfunc").mkdir(exist_ok=True)
        (self.folder / "zfunc" / "_pnfslab").write_text((self.folder / "zsh").read_text())
        setup.write_text(ZSH_SETUP.replace("FOLDER", str(self.folder / "zfunc")))
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "TERM": "dumb"})
        try:
            os.write(terminal, f"source {setup}\n".encode())
            read_until(terminal, "SET-UP-DONE")
            for line in lines:
                os.write(terminal, (line + "\t").encode())
                hits = re.findall(r"HIT<(.*?)>", read_until(terminal, "THAT-IS-ALL"), re.S)
                os.write(terminal, b"\x15")
                yield {word for hit in hits for word in hit.split()}
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(terminal)

    def test_bash_knows_every_command_option_and_choice(self):
        for words in self.commands:
            self.assertLessEqual(options(words), self.bash(*words, "--"), words)
            below = {c[-1] for c in self.commands if c[:-1] == words and c}
            self.assertLessEqual(below, self.bash(*words, ""), words)
        self.assertEqual(self.bash("up", "--profile", ""), {"modern", "dlm-2014", "local-export", "spnfs"})
        self.assertEqual(self.bash("fault", "a"), {"add"})
        (self.folder / "a-file").touch()
        self.assertEqual(self.bash("up", "--config", "a-"), {"a-file"})

    def test_fish_knows_every_command_option_and_choice(self):
        for words in self.commands:
            self.assertLessEqual(options(words), self.fish(*words, "--"), words)
            below = {c[-1] for c in self.commands if c[:-1] == words and c}
            self.assertLessEqual(below, self.fish(*words, ""), words)
        self.assertEqual(self.fish("up", "--profile", ""), {"modern", "dlm-2014", "local-export", "spnfs"})

    def test_zsh_knows_every_command_option_and_choice(self):
        lines, wanted = [], []
        for words in self.commands:
            lines.append(" ".join(("pnfslab", *words, "--")))
            wanted.append(options(words))
            if below := {c[-1] for c in self.commands if c and c[:-1] == words}:
                lines.append(" ".join(("pnfslab", *words, "")))
                wanted.append(below)
        lines.append("pnfslab up --profile ")
        wanted.append({"modern", "dlm-2014", "local-export", "spnfs"})
        for line, words, offered in zip(lines, wanted, self.zsh(lines), strict=True):
            self.assertLessEqual(words, offered, line)

    def test_an_installation_has_them(self):
        done = subprocess.run(["cmake", "--install", BIN.parent, "--prefix", self.folder / "installed"], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        share = self.folder / "installed" / "share"
        self.assertTrue((share / "man" / "man1" / "pnfslab-report.1").exists())
        for path in ("bash-completion/completions/pnfslab", "zsh/site-functions/_pnfslab",
                     "fish/vendor_completions.d/pnfslab.fish"):
            self.assertTrue((share / path).exists(), path)
        self.assertTrue((self.folder / "installed" / "bin" / "pnfslab").exists())


if __name__ == "__main__":
    unittest.main()
