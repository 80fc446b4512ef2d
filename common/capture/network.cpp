#include "common/capture/network.hpp"

#include "common/capture/flow.hpp"

namespace pnfs::capture {

namespace {

class WatchedStream final : public io::Stream {
 public:
  WatchedStream(std::unique_ptr<io::Stream> inner, File& file, bool accepted)
      : inner_(std::move(inner)), flow_(file, inner_->local(), inner_->remote(), accepted) {}

  io::Task<Result<size_t>> read_some(std::span<std::byte> into) override {
    auto got = co_await inner_->read_some(into);
    if (got) {
      flow_.received(into.first(*got));
    } else if (!closed_) {
      flow_.ended(Direction::in, got.error().code != Errc::closed, got.error().reason);
    }
    co_return got;
  }

  // Drawn before it leaves: the answer to it comes later.
  io::Task<Result<void>> write(std::span<const io::ConstBytes> pieces) override {
    if (!closed_) flow_.sent(pieces, remarks_);
    remarks_.clear();
    auto written = co_await inner_->write(pieces);
    co_return written;
  }

  void close() override { end(false, [this] { inner_->close(); }); }
  void reset() override { end(true, [this] { inner_->reset(); }); }
  io::Endpoint local() const override { return inner_->local(); }
  io::Endpoint remote() const override { return inner_->remote(); }

  bool watched() const override { return true; }
  void remark(size_t begin, size_t end, std::string text) override {
    remarks_.push_back({begin, end, std::move(text)});
  }
  void remark_silence(std::string_view text) override {
    if (!closed_) flow_.silence(text);
  }
  void remark_end(std::string text) override { last_words_ = std::move(text); }

 private:
  template <class F>
  void end(bool reset, F&& close) {
    if (!std::exchange(closed_, true)) flow_.ended(Direction::out, reset, last_words_);
    close();
  }

  std::unique_ptr<io::Stream> inner_;
  Flow flow_;
  std::vector<Remark> remarks_;
  std::string last_words_;
  bool closed_ = false;
};

class WatchedListener final : public io::Listener {
 public:
  WatchedListener(std::unique_ptr<io::Listener> inner, File& file) : inner_(std::move(inner)), file_(file) {}

  io::Task<Result<std::unique_ptr<io::Stream>>> accept() override {
    auto stream = co_await inner_->accept();
    if (!stream) co_return stream.error();
    co_return std::unique_ptr<io::Stream>(std::make_unique<WatchedStream>(std::move(*stream), file_, true));
  }
  void close() override { inner_->close(); }
  io::Endpoint local() const override { return inner_->local(); }

 private:
  std::unique_ptr<io::Listener> inner_;
  File& file_;
};

}  // namespace

io::Task<Result<std::unique_ptr<io::Stream>>> Network::connect(io::Endpoint to) {
  auto stream = co_await inner_.connect(to);
  if (!stream) co_return stream.error();
  co_return std::unique_ptr<io::Stream>(std::make_unique<WatchedStream>(std::move(*stream), file_, false));
}

Result<std::unique_ptr<io::Listener>> Network::listen(io::Endpoint at) {
  auto listener = inner_.listen(at);
  if (!listener) return listener.error();
  return watch(std::move(*listener));
}

std::unique_ptr<io::Listener> Network::watch(std::unique_ptr<io::Listener> listener) {
  return std::make_unique<WatchedListener>(std::move(listener), file_);
}

Result<void> Tap::open(const std::string& path, std::string_view node, io::TimerQueue& timers) {
  if (path.empty()) return {};
  auto file = File::open(path, node, timers);
  if (!file) return file.error().with_context("--capture");
  file_ = std::move(*file);
  network_ = std::make_unique<Network>(inner_, *file_);
  return {};
}

}  // namespace pnfs::capture
