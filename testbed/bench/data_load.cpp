#include "testbed/bench/data_load.hpp"

#include <unistd.h>

namespace pnfs::bench {

using client::OpenHow;
using client::Outcome;

namespace {

client::Options client_options(const DataLoad::Options& o) {
  client::Options options;
  options.owner = fmt::format("pnfslab bench {} {}", getpid(), o.path);
  options.io_bytes = o.io_bytes;
  options.slots = o.depth + 1;
  options.renew_every = std::chrono::seconds(5);
  return options;
}

}  // namespace

DataLoad::DataLoad(Seams seams, Options options)
    : seams_(seams),
      options_(std::move(options)),
      fs_(seams.network, seams.timers, seams.random, client_options(options_)),
      data_(options_.io_bytes) {
  // Not zeros: nobody shall save work on them.
  seams_.random.fill(data_);
}

io::Task<Result<void>> DataLoad::mount() {
  auto mounted = co_await fs_.mount(options_.server);
  if (!mounted) co_return to_error(mounted.error());
  co_return Result<void>{};
}

io::Task<Result<void>> DataLoad::write(uint64_t bytes) {
  auto opened = co_await fs_.open(options_.path, OpenHow::create_new());
  if (!opened) co_return to_error(opened.error());
  file_ = *opened;
  size_ = bytes;
  auto written = co_await in_pieces(bytes / options_.io_bytes, [this](uint64_t number) { return write_piece(number); });
  if (!written) co_return written;
  if (!options_.striped) {
    auto committed = co_await fs_.commit(file_);
    if (!committed) co_return to_error(committed.error());
    co_return Result<void>{};
  }
  auto done = co_await fs_.commit_striped(file_);
  if (done) done = co_await fs_.layoutcommit(file_);
  if (!done) co_return to_error(done.error());
  co_return Result<void>{};
}

io::Task<Result<void>> DataLoad::open_again() {
  auto closed = co_await fs_.close(file_);
  if (!closed) co_return to_error(closed.error());
  auto opened = co_await fs_.open(options_.path, OpenHow::read());
  if (!opened) co_return to_error(opened.error());
  file_ = *opened;
  co_return Result<void>{};
}

io::Task<Result<void>> DataLoad::read(DataReads reads) {
  co_return co_await in_pieces(reads.count, [this, reads](uint64_t number) { return read_piece(reads, number); });
}

io::Task<Result<void>> DataLoad::in_pieces(uint64_t count, Piece piece) {
  failure_.reset();
  next_ = 0;
  // The first alone: it finds layout, device and data servers for all.
  count_ = std::min<uint64_t>(count, 1);
  co_await work(piece);
  count_ = count;
  io::TaskGroup workers(seams_.timers.executor());
  for (unsigned i = 0; i < options_.depth; ++i) workers.spawn("bench worker", work(piece));
  co_await workers.join();
  if (failure_) co_return to_error(*failure_);
  co_return Result<void>{};
}

io::Task<void> DataLoad::work(const Piece& piece) {
  while (next_ < count_ && !failure_) {
    auto done = co_await piece(next_++);
    if (!done) failure_ = done.error();
  }
}

io::Task<Outcome<>> DataLoad::write_piece(uint64_t number) {
  const uint64_t offset = number * options_.io_bytes;
  if (options_.striped) co_return co_await fs_.write_striped(file_, offset, data_);
  for (size_t done = 0; done < data_.size();) {
    auto written = co_await fs_.write(file_, offset + done, std::span(data_).subspan(done));
    if (!written) co_return written.error();
    done += written->bytes;
  }
  co_return Outcome<>{};
}

io::Task<Outcome<>> DataLoad::read_piece(DataReads reads, uint64_t number) {
  const uint64_t places = size_ / reads.bytes;
  const uint64_t offset = (reads.random ? seams_.random.next() : number) % places * reads.bytes;
  for (uint32_t done = 0; done < reads.bytes;) {
    auto got = options_.striped ? co_await fs_.read_striped(file_, offset + done, reads.bytes - done)
                                : co_await fs_.read(file_, offset + done, reads.bytes - done);
    if (!got) co_return got.error();
    if (got->bytes.empty())
      co_return client::Failure{nfs::NFS4_OK, nfs::OP_READ, error(Errc::protocol, "the file ends before its size")};
    done += static_cast<uint32_t>(got->bytes.size());
  }
  co_return Outcome<>{};
}

io::Task<Result<void>> DataLoad::stop() {
  auto unmounted = co_await fs_.unmount();
  if (!unmounted) co_await fs_.stop();
  co_return Result<void>{};
}

}  // namespace pnfs::bench
