// pnfslab man: manual pages, made from the same source as --help.
#include <cctype>
#include <filesystem>
#include <fstream>

#include "testbed/cli/command.hpp"
#include "testbed/cli/commands.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::vector<std::string> words;
  std::string folder;
};

// Text that troff takes as it is.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\n') {
      out += ' ';
    } else {
      if (out.empty() && (c == '.' || c == '\'')) out += "\\&";
      out += c;
    }
  }
  return out;
}

std::string names_text(const CLI::Option& option) {
  std::string out;
  for (const std::string& name : names_of(option)) out += (out.empty() ? "" : ", ") + ("\\fB" + plain(name) + "\\fR");
  if (takes_value(option)) out += " \\fI" + plain(value_name(option)) + "\\fR";
  return out;
}

// The same page on every machine.
std::string default_text(const std::string& value) {
  if (value != lab::default_state_folder()) return value;
  return "$PNFSLAB_STATE, else $XDG_RUNTIME_DIR/pnfslab, else /tmp/pnfslab-UID";
}

void add_options(std::string& out, const CLI::App& command) {
  const auto arguments = arguments_of(command);
  if (!arguments.empty()) out += ".SH ARGUMENTS\n";
  for (const CLI::Option* argument : arguments)
    out += fmt::format(".TP\n\\fI{}\\fR\n{}\n", plain(argument->get_name(true)), plain(argument->get_description()));
  out += ".SH OPTIONS\n";
  for (const CLI::Option* option : options_of(command)) {
    out += fmt::format(".TP\n{}\n{}\n", names_text(*option), plain(option->get_description()));
    if (takes_value(*option) && !option->get_default_str().empty())
      out += fmt::format("(default: {})\n", plain(default_text(option->get_default_str())));
    if (!option->get_envname().empty()) out += fmt::format("(environment: {})\n", plain(option->get_envname()));
  }
  out += ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nPrint a short help and end.\n";
}

std::string page_of(const std::vector<std::string>& words, const CLI::App& command) {
  std::vector<std::string> all{"pnfslab"};
  all.insert(all.end(), words.begin(), words.end());
  const CommandText text = text_of(command);
  std::string upper = join(all, "-");
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string out = fmt::format(".\\\" Made by pnfslab man.\n.TH {} 1 \"\" pnfslab \"pnfslab manual\"\n.SH NAME\n{} \\- {}\n",
                                plain(upper), plain(join(all, "-")), plain(text.summary));
  const auto children = children_of(command);
  out += fmt::format(".SH SYNOPSIS\n\\fB{}\\fR [\\fIoptions\\fR]", plain(join(all, " ")));
  for (const CLI::Option* argument : arguments_of(command)) {
    const std::string name = "\\fI" + plain(argument->get_name(true)) + "\\fR";
    const bool many = argument->get_items_expected_max() > 1;
    out += argument->get_required() ? " " + name : " [" + name + "]";
    if (many) out += "...";
  }
  out += children.empty() ? "\n" : " \\fIcommand\\fR\n";
  if (!text.more.empty()) out += ".SH DESCRIPTION\n";
  for (const std::string& line : text.more) out += plain(line) + "\n";
  if (!children.empty()) out += ".SH COMMANDS\n";
  for (const CLI::App* child : children) {
    std::vector<std::string> name = all;
    name.push_back(child->get_name());
    out += fmt::format(".TP\n\\fB{}\\fR(1)\n{}\n", plain(join(name, "-")), plain(text_of(*child).summary));
  }
  add_options(out, command);
  if (!text.examples.empty()) out += ".SH EXAMPLES\n.nf\n";
  for (const std::string& example : text.examples) out += plain(example) + "\n";
  if (!text.examples.empty()) out += ".fi\n";
  out +=
      ".SH EXIT STATUS\n0 done; 1 failed, or the answer is no; 2 wrong usage or configuration; 125 could not be tried.\n"
      ".SH SEE ALSO\n";
  if (!words.empty()) out += plain(join({all.begin(), all.end() - 1}, "-")) + "(1)\n";
  if (words.empty()) out += "nfs(5), tshark(1)\n";
  return out;
}

int write_pages(const Options& options, const CLI::App& app) {
  std::error_code ec;
  if (!options.folder.empty()) std::filesystem::create_directories(options.folder, ec);
  bool found = false;
  Result<void> done;
  each_command(app, [&](const std::vector<std::string>& words, const CLI::App& command) {
    if (options.folder.empty()) {
      if (words != options.words) return;
      fmt::print("{}", page_of(words, command));
    } else {
      const std::string path = fmt::format("{}/pnfslab{}{}.1", options.folder, words.empty() ? "" : "-", join(words, "-"));
      std::ofstream out(path);
      out << page_of(words, command);
      if (!out.flush()) done = error(Errc::io, "cannot write '{}': {}", path, std::strerror(errno));
    }
    found = true;
  });
  if (!found) return report("man", error(Errc::invalid, "there is no command '{}'", join(options.words, " ")));
  return done ? 0 : report("man", done.error());
}

}  // namespace

void add_man(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("man",
                                 "Print a manual page\n"
                                 "Example: pnfslab man up | man -l -\n"
                                 "An installation has them as pnfslab(1), pnfslab-up(1) and so on");
  auto options = std::make_shared<Options>();
  sub->add_option("command", options->words, "Of which command: up, or fault add; of pnfslab itself when none is given");
  sub->add_option("--all-into", options->folder, "Write the pages of all commands into this folder")->type_name("DIR");
  sub->callback([options, &app, &action] { action = [options, &app] { return write_pages(*options, app); }; });
}

}  // namespace pnfs::cli
