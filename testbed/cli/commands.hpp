// The subcommands as a tree to walk, made from the same CLI11 application that parses the command line: what man pages
// and completions are written from.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace pnfs::cli {

struct CommandText {
  std::string summary;                // the first line
  std::vector<std::string> more;      // further lines
  std::vector<std::string> examples;  // without "Example:"
};
// A description as written for --help: summary, "Example: ..." lines, anything else.
CommandText text_of(const CLI::App& command);

// Without those that --help hides (group ""): the lab starts them itself.
std::vector<const CLI::App*> children_of(const CLI::App& command);
// Named options but --help, and positional arguments, in the order in which they were added.
std::vector<const CLI::Option*> options_of(const CLI::App& command);
std::vector<const CLI::Option*> arguments_of(const CLI::App& command);

std::string join(const std::vector<std::string>& words, std::string_view by);

// "--state", "-f"
std::vector<std::string> names_of(const CLI::Option& option);
bool takes_value(const CLI::Option& option);
// What IsMember allows; empty: anything.
std::vector<std::string> choices_of(const CLI::Option& option);
// "FILE", "N"; what a value is called.
std::string value_name(const CLI::Option& option);

// f(words, command) for the application (no words) and everything below it, parents first.
void each_command(const CLI::App& app,
                  const std::function<void(const std::vector<std::string>& words, const CLI::App& command)>& f);

}  // namespace pnfs::cli
