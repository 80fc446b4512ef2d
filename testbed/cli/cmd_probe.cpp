// pnfslab probe: does something listen there? For health checks, where neither nc nor a shell is at hand.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/io/stream.hpp"
#include "testbed/cli/command.hpp"

namespace pnfs::cli {

namespace {

struct Options {
  std::string address;
  unsigned timeout_ms = 2000;
};

Result<void> connect_once(const io::Endpoint& to, int timeout_ms) {
  const int fd = socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return error(Errc::io, "cannot make a socket: {}", std::strerror(errno));
  int problem = 0;
  if (::connect(fd, to.data(), static_cast<socklen_t>(to.size())) != 0) problem = errno;
  if (problem == EINPROGRESS) {
    pollfd p{fd, POLLOUT, 0};
    socklen_t length = sizeof problem;
    if (poll(&p, 1, timeout_ms) != 1) {
      problem = ETIMEDOUT;
    } else {
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &length);
    }
  }
  close(fd);
  if (problem != 0) return error(Errc::refused, "nothing serves at {}: {}", io::to_string(to), std::strerror(problem));
  return {};
}

}  // namespace

void add_probe(CLI::App& app, Action& action) {
  auto* sub = app.add_subcommand("probe",
                                 "Exit code 0 when something listens at ADDRESS:PORT (for health checks)\n"
                                 "Example: pnfslab probe 127.0.0.1:12049");
  auto options = std::make_shared<Options>();
  sub->add_option("address", options->address, "ADDRESS:PORT")->required();
  sub->add_option("--timeout-ms", options->timeout_ms, "How long to wait")->capture_default_str();
  sub->callback([options, &action] {
    action = [options] {
      const auto endpoint = io::parse_endpoint(options->address);
      if (!endpoint) return report("probe", endpoint.error());
      const auto done = connect_once(*endpoint, static_cast<int>(options->timeout_ms));
      return done ? 0 : report("probe", done.error());
    };
  });
}

}  // namespace pnfs::cli
