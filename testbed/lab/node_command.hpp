// A command to a running server through its control socket, STATE/<node>.sock (common/io/listener_inbox.hpp).
#pragma once

#include <string>

#include "common/base/result.hpp"

namespace pnfs::lab {

// One line without its newline. not_found and refused: nobody serves the socket; invalid: what the server answered.
Result<std::string> send_command(const std::string& socket_path, const std::string& command);

}  // namespace pnfs::lab
