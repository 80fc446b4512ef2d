// The command's input on its way to the guest.
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "testbed/kernel/supervisor.hpp"

namespace pnfs::kernel {

// One piece for the guest: its length in two bytes, then the bytes; none at the end (guest/streams.cpp).
void Supervisor::take_input() {
  char buffer[4096];
  const ssize_t got = ::read(input_.get(), buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) input_.reset();
  const size_t length = size_t(std::max<ssize_t>(got, 0));
  pending_input_ = {char(length / 256), char(length % 256)};
  pending_input_.append(buffer, length);
}

void Supervisor::give_input() {
  const ssize_t wrote = ::write(input_pipe_.get(), pending_input_.data(), pending_input_.size());
  if (wrote > 0) pending_input_.erase(0, size_t(wrote));
  if (wrote < 0 && errno != EAGAIN && errno != EINTR) input_pipe_.reset();
}

}  // namespace pnfs::kernel
