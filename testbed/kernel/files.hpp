// Where the pieces of a guest lie, and small files.
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace pnfs::kernel {

// ../libexec/pnfslab/guest beside the folder of the running program: init, xsave_shim.so, run/.
Result<std::string> guest_folder();
// The program that supervises one guest: ../libexec/pnfslab/pnfs-guest.
Result<std::string> supervisor_program();

Result<std::string> read_file(const std::string& path);
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace pnfs::kernel
