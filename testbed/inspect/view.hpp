// What `pnfslab inspect` shows, as paths: files/, inodes/<fileid>/ and volume/. It reads the LUN itself, so it works
// with every server down, and never writes to it. Knows nothing of FUSE.
//
// One thread. Each call runs the io_context it was given until its own work is done, at most kCallTimeout.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/block/block_store.hpp"
#include "common/io/timer_queue.hpp"
#include "common/volume/data_io.hpp"
#include "common/volume/snapshot.hpp"

namespace pnfs::inspect {

inline constexpr std::chrono::seconds kCallTimeout{20};
// A picture older than this is taken anew when somebody looks.
inline constexpr std::chrono::seconds kPictureAge{1};

using Picture = std::shared_ptr<volume::Snapshot>;

struct Item {
  std::string name;
  struct stat attributes {};
};

// Something opened: it keeps showing the picture of the moment it was opened in.
struct OpenFile {
  Picture picture;
  std::optional<volume::FileId> fileid;  // content comes from the LUN
  bool raw = false;                      // the LUN itself
  std::vector<std::byte> content;        // content made up on open
};

class View {
 public:
  View(boost::asio::io_context& context, io::TimerQueue& timers, block::BlockStore& store);

  Result<struct stat> attributes(const std::string& path);
  Result<std::vector<Item>> list(const std::string& path);
  Result<std::string> link_target(const std::string& path);
  Result<std::unique_ptr<OpenFile>> open(const std::string& path);
  // Returns how many bytes; fewer only at the end.
  Result<size_t> read(const OpenFile& file, uint64_t offset, std::span<std::byte> into);

 private:
  Result<Picture> picture();
  Result<volume::FileId> walk(volume::Snapshot& picture, std::string_view path);
  Result<std::vector<std::byte>> made_up(volume::Snapshot& picture, const std::string& path);
  struct stat inode_stat(const volume::Inode& inode) const;
  template <class T>
  Result<T> run(io::Task<Result<T>> task);

  boost::asio::io_context& context_;
  io::TimerQueue& timers_;
  block::BlockStore& store_;
  volume::DataIo data_;
  Picture picture_;
  TimePoint taken_{};
};

}  // namespace pnfs::inspect
