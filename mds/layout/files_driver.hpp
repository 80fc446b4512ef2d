// LAYOUT4_NFSV4_1_FILES (RFC 8881 13).
#pragma once

#include <functional>

#include "mds/layout/layout_driver.hpp"
#include "mds/layout/personality.hpp"
#include "mds/layout/striping.hpp"

namespace pnfs::mds::layout {

class FilesDriver final : public LayoutDriver {
 public:
  // `servers` tells which data servers new layouts may name, in the order of their stripe indices. `handle` makes a
  // data server's filehandle for a file; stripe_index only counts for dense ones.
  using Servers = std::function<std::vector<DataServer>()>;
  using Handle = std::function<std::span<const std::byte>(Arena&, FileId, uint64_t generation, bool dense,
                                                          uint32_t stripe_index)>;
  FilesDriver(const Personality& personality, DeviceTable& devices, Servers servers, Handle handle)
      : personality_(personality), devices_(devices), servers_(std::move(servers)), handle_(std::move(handle)) {}

  nfs::layouttype4 type() const override { return nfs::LAYOUT4_NFSV4_1_FILES; }
  Status layout(const LayoutRequest& request, Arena& arena, LayoutAnswer& answer) override;
  Status device(const nfs::deviceid4& id, const io::Endpoint& local, Arena& arena,
                std::span<const std::byte>& body) override;
  std::vector<nfs::deviceid4> devices() const override;

 private:
  std::shared_ptr<const FileStriping> striping_for(const LayoutRequest& request);

  const Personality& personality_;
  DeviceTable& devices_;
  Servers servers_;
  Handle handle_;
};

}  // namespace pnfs::mds::layout
