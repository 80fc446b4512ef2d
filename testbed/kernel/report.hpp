// What the guest's kernel complained about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pnfs::kernel {

// Lines of a kernel log that no healthy client prints: WARNING, BUG, Oops, hung tasks, panics, refcount errors. Without
// the "<4>[    1.230000]" before them.
std::vector<std::string> kernel_problems(std::string_view log);

// The text after "Kernel panic - not syncing: ", or "".
std::string panic_text(std::string_view console);

// The last `count` lines.
std::string last_lines(std::string_view text, size_t count);

}  // namespace pnfs::kernel
