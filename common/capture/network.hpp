// A Network whose connections are written to a capture: a wrapper around another. Without one nothing is captured and
// nothing costs anything.
#pragma once

#include "common/capture/file.hpp"
#include "common/io/stream.hpp"

namespace pnfs::capture {

class Network final : public io::Network {
 public:
  // Both must outlive it and every stream that came from it.
  Network(io::Network& inner, File& file) : inner_(inner), file_(file) {}
  io::Task<Result<std::unique_ptr<io::Stream>>> connect(io::Endpoint to) override;
  Result<std::unique_ptr<io::Listener>> listen(io::Endpoint at) override;
  // For a listener that was made elsewhere.
  std::unique_ptr<io::Listener> watch(std::unique_ptr<io::Listener> listener);

 private:
  io::Network& inner_;
  File& file_;
};

// What a process has for its option --capture FILE. Until open() everything passes as it is.
class Tap {
 public:
  explicit Tap(io::Network& inner) : inner_(inner) {}
  // An empty path: no capture.
  Result<void> open(const std::string& path, std::string_view node, io::TimerQueue& timers);
  io::Network& network() { return network_ ? static_cast<io::Network&>(*network_) : inner_; }
  std::unique_ptr<io::Listener> watch(std::unique_ptr<io::Listener> listener) {
    return network_ ? network_->watch(std::move(listener)) : std::move(listener);
  }
  void flush() {
    if (file_) file_->flush();
  }

 private:
  io::Network& inner_;
  std::unique_ptr<File> file_;
  std::unique_ptr<Network> network_;
};

}  // namespace pnfs::capture
