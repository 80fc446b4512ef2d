// Opens, grants, members and devices as rows (common/live/LIVE.md). Pure: state in, rows out.
#pragma once

#include "common/live/table.hpp"
#include "mds/control/membership.hpp"
#include "mds/grants/grant_table.hpp"
#include "mds/layout/layout_driver.hpp"
#include "mds/state/state_table.hpp"

namespace pnfs::mds {

// Everything of these clients: opens, locks, delegations, and who waits for one of the locks.
void fill_opens(const state::StateTable& table, const std::vector<state::clientid4>& clients, TimePoint now,
                live::Table& out);
state::StateTable::Counts counts_of(const state::StateTable& table, state::clientid4 client);
void fill_locks(const GrantTable& table, live::Table& out);
void fill_members(const cluster::Membership& members, TimePoint now, live::Table& out);
void fill_devices(layout::LayoutDriver& driver, const cluster::Membership& members, live::Table& out);

}  // namespace pnfs::mds
