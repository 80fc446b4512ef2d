// Completion scripts, written from the tree of commands.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace pnfs::cli {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace pnfs::cli
