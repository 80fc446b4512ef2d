#include "common/session/session.hpp"

#include <algorithm>

namespace pnfs::session {

Session::Session(SessionId id, ClientId client, ChannelAttrs fore, ChannelAttrs back, uint32_t back_program,
                 std::vector<CallbackSecurity> security)
    : id_(id),
      client_(client),
      fore_(fore),
      back_(back),
      slots_(fore.max_requests),
      back_program_(back_program),
      security_(std::move(security)) {}

void Session::set_backchannel(uint32_t program, std::vector<CallbackSecurity> security) {
  back_program_ = program;
  if (!security.empty()) security_ = std::move(security);
}

void Session::bind(ConnectionId connection, Direction direction) {
  Direction& bound = connections_.try_emplace(connection, direction).first->second;
  bound = static_cast<Direction>(static_cast<uint8_t>(bound) | static_cast<uint8_t>(direction));
  if (direction == Direction::fore) return;
  std::erase(back_order_, connection);
  back_order_.push_back(connection);
  back_path_down_ = false;
  wants_back_ = true;
}

void Session::unbind(ConnectionId connection) {
  connections_.erase(connection);
  std::erase(back_order_, connection);
}

void Session::unbind_back(ConnectionId connection) {
  std::erase(back_order_, connection);
  const auto found = connections_.find(connection);
  if (found != connections_.end() && found->second != Direction::fore) found->second = Direction::fore;
}

std::optional<Direction> Session::binding(ConnectionId connection) const {
  const auto found = connections_.find(connection);
  if (found == connections_.end()) return std::nullopt;
  return found->second;
}

ConnectionId Session::back_connection() const {
  return back_order_.empty() ? 0 : back_order_.back();
}

std::vector<ConnectionId> Session::back_connections() const {
  return {back_order_.rbegin(), back_order_.rend()};
}

}  // namespace pnfs::session
