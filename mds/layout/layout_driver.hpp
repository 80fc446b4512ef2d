// A layout type (RFC 8881 3.3.13) behind one small interface: what LAYOUTGET, GETDEVICEINFO and GETDEVICELIST need of
// it. State (stateids, recalls) is the same for all types and lives in layout_table.hpp.
#pragma once

#include <memory>
#include <vector>

#include "common/io/stream.hpp"
#include "common/nfs/layout.hpp"
#include "common/nfs/status.hpp"
#include "mds/layout/layout_table.hpp"

namespace pnfs::mds::layout {

struct LayoutRequest {
  FileId file = 0;
  uint64_t generation = 0;
  bool rw = false;
  ByteRange wanted;
  uint64_t minlength = 0;
  uint64_t file_size = 0;
  std::string_view hint;  // words of striping_rules.hpp
  // What the client holds of the file already: all it holds follows one pattern, or data servers would take its handles
  // and offsets for those of another one (RFC 8881 13.11: no restriping while layouts are out).
  std::shared_ptr<const FileStriping> held;
};

struct LayoutAnswer {
  std::vector<nfs::layout4> segments;  // ascending, without gaps (18.43.3)
  std::shared_ptr<const FileStriping> striping;
};

class LayoutDriver {
 public:
  virtual ~LayoutDriver() = default;
  virtual nfs::layouttype4 type() const = 0;
  // LAYOUTUNAVAILABLE, BADLAYOUT, LAYOUTTRYLATER. The segments may be more than the client can take.
  virtual Status layout(const LayoutRequest& request, Arena& arena, LayoutAnswer& answer) = 0;
  // The device_addr4 body for a client whose connection to the MDS ends at `local`. NOENT.
  virtual Status device(const nfs::deviceid4& id, const io::Endpoint& local, Arena& arena,
                        std::span<const std::byte>& body) = 0;
  virtual std::vector<nfs::deviceid4> devices() const = 0;
};

}  // namespace pnfs::mds::layout
