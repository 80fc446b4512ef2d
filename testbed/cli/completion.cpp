#include "testbed/cli/completion.hpp"

#include <fmt/format.h>

#include "testbed/cli/commands.hpp"

namespace pnfs::cli {

namespace {

using Words = std::vector<std::string>;

// "/fault/add"
std::string path_of(const Words& words) {
  std::string path;
  for (const std::string& word : words) path += "/" + word;
  return path;
}

std::string function_of(const Words& words) {
  return words.empty() ? "_pnfslab" : "_pnfslab_" + join(words, "_");
}

// Inside single quotes of a shell.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out + "'";
}

Words subcommands(const CLI::App& command) {
  Words names;
  for (const CLI::App* child : children_of(command)) names.push_back(child->get_name());
  return names;
}

Words all_options(const CLI::App& command) {
  Words names;
  for (const CLI::Option* option : options_of(command))
    for (const std::string& name : names_of(*option)) names.push_back(name);
  names.insert(names.end(), {"-h", "--help"});
  return names;
}

// For _arguments: '[' and ':' mean something there.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, text.find('\n'))) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const CLI::Option& option) {
  const Words choices = choices_of(option);
  return choices.empty() ? "_files" : "(" + join(choices, " ") + ")";
}

void add_zsh_function(std::string& out, const Words& words, const CLI::App& command) {
  out += function_of(words) + "() {\n  local context state state_descr line\n  typeset -A opt_args\n  _arguments -C \\\n";
  for (const CLI::Option* option : options_of(command)) {
    for (const std::string& name : names_of(*option)) {
      std::string spec = "*" + name + "[" + zsh_text(option->get_description()) + "]";
      if (takes_value(*option)) spec += ":" + zsh_text(value_name(*option)) + ":" + zsh_action(*option);
      out += "    " + shell_quoted(spec) + " \\\n";
    }
  }
  out += "    '(-h --help)'{-h,--help}'[Print help]' \\\n";
  if (!children_of(command).empty()) {
    out += "    '1: :->command' \\\n    '*:: :->rest' && return\n  case $state in\n    command)\n      local -a commands=(\n";
    for (const CLI::App* child : children_of(command)) {
      const std::string summary = text_of(*child).summary;
      std::string text;
      for (const char c : summary) text += c == ':' ? "\\:" : std::string(1, c);
      out += "        " + shell_quoted(child->get_name() + ":" + text) + "\n";
    }
    out += "      )\n      _describe command commands ;;\n    rest)\n      case $line[1] in\n";
    for (const CLI::App* child : children_of(command)) {
      Words below = words;
      below.push_back(child->get_name());
      out += fmt::format("        {}) {} ;;\n", child->get_name(), function_of(below));
    }
    out += "      esac ;;\n  esac\n}\n\n";
    return;
  }
  const auto arguments = arguments_of(command);
  if (!arguments.empty() && arguments.back()->get_name(true) == "command" && words == Words{"client"}) {
    out += "    '*::command:_normal'\n}\n\n";
    return;
  }
  out += fmt::format("    {}\n}}\n\n", shell_quoted("*: :" + (arguments.empty() ? "" : zsh_action(*arguments.front()))));
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string paths, choices, words_of_path;
  each_command(app, [&](const Words& words, const CLI::App& command) {
    const std::string path = path_of(words);
    if (!words.empty()) paths += (paths.empty() ? "" : "|") + path;
    Words offered = subcommands(command);
    const Words options = all_options(command);
    offered.insert(offered.end(), options.begin(), options.end());
    words_of_path += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, join(offered, " "));
    for (const CLI::Option* option : options_of(command)) {
      if (!takes_value(*option)) continue;
      for (const std::string& name : names_of(*option))
        choices += fmt::format("    \"{} {}\") values=\"{}\" ;;\n", path, name, join(choices_of(*option), " "));
    }
    for (const CLI::Option* argument : arguments_of(command))
      if (!choices_of(*argument).empty())
        words_of_path += fmt::format("  esac\n  case \"$path\" in\n    \"{}\") words=\"$words {}\" ;;\n", path,
                                     join(choices_of(*argument), " "));
  });
  // A value that may be anything is completed as a file; so is what stands for itself.
  return "# bash completion of pnfslab: made by pnfslab completion bash.\n"
         "_pnfslab() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= words= values=none i\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    if [ \"${COMP_WORDS[i]}\" = -- ]; then COMPREPLY=($(compgen -c -f -- \"$cur\")); return; fi\n"
         "    case \"$path/${COMP_WORDS[i]}\" in\n      " +
         paths +
         ") path=\"$path/${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path $prev\" in\n" +
         choices +
         "  esac\n"
         "  if [ \"$values\" != none ]; then\n"
         "    if [ -n \"$values\" ]; then COMPREPLY=($(compgen -W \"$values\" -- \"$cur\")); else COMPREPLY=($(compgen -f -- \"$cur\")); fi\n"
         "    return\n"
         "  fi\n"
         "  case \"$path\" in\n" +
         words_of_path +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  case \"$cur\" in -*) ;; *) COMPREPLY+=($(compgen -f -- \"$cur\")) ;; esac\n"
         "}\n"
         "complete -o filenames -F _pnfslab pnfslab\n";
}

std::string zsh_completion(const CLI::App& app) {
  std::string out = "#compdef pnfslab\n# zsh completion of pnfslab: made by pnfslab completion zsh.\n\n";
  each_command(app, [&](const Words& words, const CLI::App& command) { add_zsh_function(out, words, command); });
  // Autoloaded: the file is the function. Sourced: it is made known.
  return out + "if [ \"$funcstack[1]\" = _pnfslab ]; then\n  _pnfslab \"$@\"\nelse\n  compdef _pnfslab pnfslab\nfi\n";
}

std::string fish_completion(const CLI::App& app) {
  std::string out =
      "# fish completion of pnfslab: made by pnfslab completion fish.\n"
      "function __pnfslab_at\n"
      "    # The commands among the words so far are exactly these.\n"
      "    set -l all " +
      [&] {
        Words all;
        each_command(app, [&](const Words& words, const CLI::App&) {
          if (!words.empty()) all.push_back(join(words, "/"));
        });
        return join(all, " ");
      }() +
      "\n"
      "    set -l path\n"
      "    for word in (commandline -opc)[2..-1]\n"
      "        if test -z \"$path\"; and contains -- $word $all\n"
      "            set path $word\n"
      "        else if contains -- \"$path/$word\" $all\n"
      "            set path \"$path/$word\"\n"
      "        end\n"
      "    end\n"
      "    test \"$path\" = \"$argv[1]\"\n"
      "end\n";
  each_command(app, [&](const Words& words, const CLI::App& command) {
    const std::string at = "complete -c pnfslab -n " + shell_quoted("__pnfslab_at '" + join(words, "/") + "'");
    for (const CLI::App* child : children_of(command))
      out += fmt::format("{} -f -a {} -d {}\n", at, child->get_name(), shell_quoted(text_of(*child).summary));
    for (const CLI::Option* option : options_of(command)) {
      out += at;
      for (const std::string& name : option->get_lnames()) out += " -l " + name;
      for (const std::string& name : option->get_snames()) out += " -s " + name;
      if (takes_value(*option)) out += " -r";
      if (const Words choices = choices_of(*option); !choices.empty()) out += " -f -a " + shell_quoted(join(choices, " "));
      out += " -d " + shell_quoted(option->get_description()) + "\n";
    }
    for (const CLI::Option* argument : arguments_of(command))
      if (!choices_of(*argument).empty()) out += fmt::format("{} -f -a {}\n", at, shell_quoted(join(choices_of(*argument), " ")));
    out += at + " -s h -l help -d 'Print help'\n";
  });
  return out;
}

}  // namespace pnfs::cli
