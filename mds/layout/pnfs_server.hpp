// The pNFS half of the MDS put together: layout state, devices, the control program (see mds/pnfs.hpp for what the
// other half sees of it).
#pragma once

#include "common/compound/backchannel.hpp"
#include "mds/control/cluster.hpp"
#include "mds/layout/dlm_device.hpp"
#include "mds/layout/files_driver.hpp"
#include "mds/layout/notify_book.hpp"
#include "mds/pnfs.hpp"

namespace pnfs::mds::layout {

class PnfsServer final : public Pnfs {
 public:
  PnfsServer(Mds& mds, Personality personality);
  ~PnfsServer() override;

  // ---- mds::Pnfs
  io::Task<Result<void>> start() override;
  io::Task<void> stop() override;
  rpc::Service* control_service() override;
  std::span<const nfs::layouttype4> layout_types() const override;
  uint32_t exchange_flags() const override;
  uint32_t layout_block_bytes() const override { return personality_.striping.stripe_bytes; }
  std::array<std::optional<uint64_t>, 4> thresholds() const override { return personality_.thresholds; }
  std::string hint_for_new_file(const volume::Inode& directory) override;
  void file_removed(FileId file) override;
  io::Task<Status> revoke_stateid(clientid4 client, FileId file, stateid4 stateid) override;
  io::Task<Status> judge_again(FileId file) override;
  io::Task<void> settle(FileId file) override;
  bool settled() const override;
  Status recall_writers(FileId file) override;
  io::Task<Status> hold(FileId file, uint64_t offset, uint64_t length, bool write,
                        std::unique_ptr<DataGuard::Hold>& out) override;
  Status test(clientid4 client, const stateid4& stateid) const override { return table_.test(client, stateid); }
  Status free(clientid4 client, const stateid4& stateid) override { return table_.free(client, stateid); }
  bool has_state(clientid4 client) const override { return table_.has_state(client); }
  bool has_revoked(clientid4 client) const override { return table_.has_revoked(client); }
  void drop_client(clientid4 client) override;
  void client_closed(clientid4 client, FileId file) override;

  // ---- for the layout operations
  const Personality& personality() const { return personality_; }
  LayoutTable& table() { return table_; }
  // Null: not a type of ours (UNKNOWN_LAYOUTTYPE).
  LayoutDriver* driver(nfs::layouttype4 type);
  // The client gave back some of what it held of the file: data servers ask again about its stateids.
  void returned(clientid4 client, FileId file);
  // All that the client holds of the file names servers that are there, at the addresses that it was told. Else a recall
  // is on its way.
  bool current(clientid4 client, FileId file);
  // GETDEVICEINFO: what the client wants to hear about the device; gives what it will hear.
  nfs::notify_deviceid_bitmap4 wants_notices(clientid4 client, const nfs::deviceid4& id,
                                             const nfs::notify_deviceid_bitmap4& wanted);
  uint64_t device_version() const { return devices_->version(); }

  // ---- administration (pnfslab, fault actions, the 2014 file)
  // Sends CB_LAYOUTRECALL for what matches (fileid 0: every file, client 0: every client) and sees it through.
  void recall(FileId file, clientid4 client);
  void recall_bulk(clientid4 client, BulkScope scope);
  // CB_NOTIFY_DEVICEID about every device: it changed, or is gone.
  void notify_devices(clientid4 client, bool gone);
  // A new pnfs_dlm_device line: what the ids of devices mean changes.
  Result<void> write_dlm_device(std::string_view line);
  const DlmDevices& dlm_devices() const { return dlm_; }
  // A draining data server is named in no new layout, and layouts that name it are recalled.
  Result<void> drain(std::string_view node, bool draining);
  // Forgets a data server that has ended. busy: it is connected, or being fenced (try again).
  Result<void> remove(std::string_view node);
  // No layout names the data server.
  bool unused(uint32_t node) const;
  cluster::Cluster& cluster() { return *cluster_; }

 private:
  // Which data servers new layouts name, by node id, so that stripe indices do not depend on who came first; or as the
  // pnfs_dlm_device line orders them.
  std::vector<DataServer> servers() const;
  // Those that are not gone, whether they are connected at the moment or not, at the addresses that clients are told.
  std::vector<DataServer> known_servers() const;
  bool is_stale(const Device& device) const;
  cluster::StateidVerdict judge(const cluster::StateidQuestion& question);
  nfs::Status judge_access(const cluster::StateidQuestion& question, clientid4 client, FileId file, uint32_t& access);
  void devices_changed();
  void retire_devices();
  void send(std::vector<LayoutRecall> recalls);
  io::Task<void> recall_one(LayoutRecall recall, uint64_t generation);
  io::Task<void> recall_all_of(clientid4 client, BulkScope scope);
  io::Task<void> watch_recalls();
  io::Task<void> notify(clientid4 client, std::vector<nfs::deviceid4> ids, bool gone, bool immediate);
  uint32_t node_named(std::string_view name) const;  // 0: none
  compound::Backchannel& backchannel();

  Mds& mds_;
  Personality personality_;
  DlmDevices dlm_;
  LayoutTable table_;
  std::unique_ptr<DeviceTable> devices_;  // once the volume is known
  std::unique_ptr<FilesDriver> files_;
  std::unique_ptr<cluster::Cluster> cluster_;
  io::TaskGroup tasks_;
  NotifyBook notices_;
};

// The Pnfs that make_pnfs() gave the Mds.
PnfsServer& pnfs_of(Mds& mds);

}  // namespace pnfs::mds::layout
