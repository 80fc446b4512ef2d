// The pNFS half of the MDS put together: layout state, devices, the control program (see mds/pnfs.hpp for what the
// other half sees of it).
#pragma once

#include "common/compound/backchannel.hpp"
#include "mds/control/cluster.hpp"
#include "mds/layout/dlm_device.hpp"
#include "mds/layout/files_driver.hpp"
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
  uint32_t layout_block_bytes() const override { return personality_.stripe_bytes; }
  io::Task<Status> revoke_stateid(clientid4 client, FileId file, stateid4 stateid) override;
  io::Task<Status> recall_layouts(FileId file, clientid4 except) override;
  io::Task<Status> hold(FileId file, uint64_t offset, uint64_t length, bool write,
                        std::unique_ptr<DataGuard::Hold>& out) override;
  Status test(clientid4 client, const stateid4& stateid) const override { return table_.test(client, stateid); }
  Status free(clientid4 client, const stateid4& stateid) override { return table_.free(client, stateid); }
  bool has_state(clientid4 client) const override { return table_.has_state(client); }
  void drop_client(clientid4 client) override;
  void client_closed(clientid4 client, FileId file) override;

  // ---- for the layout operations
  const Personality& personality() const { return personality_; }
  LayoutTable& table() { return table_; }
  // Null: not a type of ours (UNKNOWN_LAYOUTTYPE).
  LayoutDriver* driver(nfs::layouttype4 type);
  // The client gave back what it held of the file: its stateids stop working at data servers.
  void returned(clientid4 client, FileId file);

  // ---- administration (pnfslab, fault actions, the 2014 file)
  // Sends CB_LAYOUTRECALL for what matches (fileid 0: every file, client 0: every client) and sees it through.
  void recall(FileId file, clientid4 client);
  void recall_bulk(clientid4 client, BulkScope scope);
  // A new pnfs_dlm_device line: layouts that name other servers than before are recalled.
  Result<void> write_dlm_device(std::string_view line);
  const DlmDevices& dlm_devices() const { return dlm_; }
  cluster::Cluster& cluster() { return *cluster_; }

 private:
  std::vector<DataServer> servers() const;
  cluster::StateidVerdict judge(const cluster::StateidQuestion& question);
  void membership_changed();
  void send(std::vector<LayoutRecall> recalls);
  io::Task<void> recall_one(LayoutRecall recall);
  io::Task<void> recall_all_of(clientid4 client, BulkScope scope);
  io::Task<void> watch_recalls();
  compound::Backchannel& backchannel();

  Mds& mds_;
  Personality personality_;
  DlmDevices dlm_;
  LayoutTable table_;
  std::unique_ptr<DeviceTable> devices_;  // once the volume is known
  std::unique_ptr<FilesDriver> files_;
  std::unique_ptr<cluster::Cluster> cluster_;
  io::TaskGroup tasks_;
  uint64_t device_notice_ = 0;
};

// The Pnfs that make_pnfs() gave the Mds.
PnfsServer& pnfs_of(Mds& mds);

}  // namespace pnfs::mds::layout
