// What `pnfslab inspect` shows: files/, inodes/<fileid>/, volume/, live/ and control/. Knows nothing of FUSE.
//
// What is opened keeps the picture of that moment: a file's size and place, a folder's names. Everything else is looked
// up in a picture of now. The volume is never written; only names in control/ take writes, and they go to the servers.
//
// Threading: the executor's thread; what asks servers runs on `helpers`. Tree outlives its tasks.
#pragma once

#include <sys/stat.h>

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <vector>

#include "testbed/inspect/lab_side.hpp"
#include "testbed/inspect/nodes.hpp"
#include "testbed/inspect/source.hpp"
#include "testbed/inspect/stripes.hpp"

namespace pnfs::inspect {

struct Item {
  std::string name;
  NodeId node;
  struct stat attributes {};
  uint64_t next = 0;  // what continues the list behind it
};

// Something opened. Which of the members counts is decided by open().
struct OpenFile {
  NodeId node;
  Picture picture;
  struct stat attributes {};
  std::optional<volume::FileId> fileid;  // content comes from the LUN
  std::optional<StripeFile> stripe;      // of that file, only these bytes
  bool raw = false;                      // the LUN itself
  bool database = false;                 // the picture's catalog
  std::string text;                      // made up on open
};

struct OpenFolder {
  NodeId node;
  Picture picture;
  std::vector<Item> items;  // of folders that are short
  bool listed = false;      // items is all of it
};

class Tree {
 public:
  Tree(Source& source, const LabSide& lab, boost::asio::thread_pool& helpers)
      : source_(source), lab_(lab), helpers_(helpers) {}

  io::Task<Result<struct stat>> attributes(NodeId node);
  io::Task<Result<Item>> lookup(NodeId parent, std::string name);
  io::Task<Result<std::string>> link_target(NodeId node);

  io::Task<Result<std::unique_ptr<OpenFolder>>> open_folder(NodeId node);
  // At most `most` entries behind `after` (0: from the start).
  Result<std::vector<Item>> list(const OpenFolder& folder, uint64_t after, size_t most);

  io::Task<Result<std::unique_ptr<OpenFile>>> open(NodeId node);
  // How many bytes; fewer only at the end. corrupt: what is read has left the file since it was opened.
  io::Task<Result<size_t>> read(const OpenFile& file, uint64_t offset, std::span<std::byte> into);
  // The next offset with data (or the next hole) at or behind `offset`; not_found: none.
  Result<uint64_t> seek(const OpenFile& file, uint64_t offset, bool data);
  // To a name in control/. As with /proc, each write is whole: one or more lines, which act in order until one is bad.
  io::Task<Result<void>> write(NodeId node, std::string text);

  static bool is_control(NodeId node);
  // Shown as control/last_error.
  void note_error(std::string reason) { last_error_ = std::move(reason) + "\n"; }
  io::Task<Result<volume::SpaceReport>> space();

 private:
  Result<Item> look_up_fixed(Fixed folder, std::string_view name);
  Result<Item> look_up_inode(volume::Snapshot& picture, std::string_view name);
  Result<Item> look_up_part(volume::Snapshot& picture, volume::FileId fileid, std::string_view name);
  Result<Item> look_up_stripe(volume::Snapshot& picture, volume::FileId fileid, std::string_view name);
  Result<std::vector<Item>> list_catalog(const OpenFolder& folder, uint64_t after, size_t most);
  Result<std::vector<Item>> short_list(volume::Snapshot& picture, NodeId folder);
  io::Task<Result<struct stat>> fixed_attributes(Fixed which);
  Result<struct stat> part_attributes(volume::Snapshot& picture, NodeId node);
  Result<std::string> part_text(volume::Snapshot& picture, NodeId node);
  io::Task<Result<std::string>> fixed_text(Picture picture, Fixed which);
  Result<std::vector<StripeFile>> stripes_of(volume::Snapshot& picture, volume::FileId fileid);
  Result<void> open_content(volume::Snapshot& picture, OpenFile& file);

  Source& source_;
  const LabSide& lab_;
  boost::asio::thread_pool& helpers_;
  std::string last_error_;
};

}  // namespace pnfs::inspect
