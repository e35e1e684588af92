/** What can be done in the staff's panels, by keys and by name. */
import type { Action } from '../shell/action'
import { settleSelected, type Settling } from './alerts/settle'

const inOrbat = (what: string): Action['run'] => async (shell) => {
  shell.open('orbat')
  await shell.focus(`orbat.${what}`)
}

const inAlerts = (what: string): Action['run'] => async (shell) => {
  shell.open('alerts')
  await shell.focus(`alerts:${what}`)
}

/** In the list that which is chosen; away from it the alert of who is selected, say after `A`. */
const settling = (action: Settling): Action['run'] => (shell) => (shell.isOpen('alerts') ? inAlerts(action)(shell) : settleSelected(shell, action))

const inPanel = (id: string, what: string): Action['run'] => async (shell) => {
  shell.open(id)
  await shell.focus(`${id}:${what}`)
}

export const STAFF_ACTIONS: readonly Action[] = [
  { id: 'medevac.ask', title: 'staffMedevac.actionAsk', section: 'write', keys: ['shift+e'], run: inPanel('medevac', 'ask'), python: () => 'node.ask_medevac(request={"title": "…"})' },
  { id: 'orders.new', title: 'staffOrders.actionNew', section: 'write', run: inPanel('orders', 'new'), python: () => 'node.create_order(order={"kind": "OPORD", "title": "…"})' },
  { id: 'orders.issue', title: 'staffOrders.actionIssue', section: 'write', run: (shell) => shell.open('orders'), python: () => 'node.step_order("…", action="issue")' },
  { id: 'orders.frago', title: 'staffOrders.frago', section: 'write', run: (shell) => shell.open('orders'), python: () => 'node.draft_frago("…", changes=[{"path": "mission.when", "new": "H+1"}])' },
  { id: 'tasks.matrix', title: 'staffTasks.matrix', section: 'go', keys: ['shift+s'], run: inPanel('tasks', 'matrix'), python: () => 'node.task_matrix()' },
  { id: 'reports.rollup', title: 'staffRollup.action', section: 'write', run: inPanel('reports', 'rollup'), python: () => 'node.rollup("sitrep", unit="…", from_ms=ms("…"), until_ms=ms("…"))' },
  { id: 'handover.sign', title: 'staffHandover.sign', section: 'write', run: inPanel('handover', 'sign'), python: () => 'node.offer_handover(remarks="…")' },
  { id: 'orbat.new', title: 'staffOrbat.actionNew', section: 'write', run: inOrbat('new'), python: () => 'node.create_unit(unit={"name": "…"})' },
  { id: 'orbat.move', title: 'staffOrbat.actionMove', section: 'write', keys: ['shift+m'], run: inOrbat('move'), python: () => 'node.move_unit(id="…", parent="…")' },
  { id: 'orbat.edit', title: 'staffOrbat.actionEdit', section: 'write', keys: ['f2'], run: inOrbat('edit') },
  { id: 'alerts.acknowledge', title: 'staffAlerts.actionAck', section: 'write', keys: ['k'], run: settling('acknowledge'), python: () => 'node.settle_alert("…", action="acknowledge")' },
  { id: 'alerts.close', title: 'staffAlerts.actionClose', section: 'write', keys: ['x'], run: settling('close'), python: () => 'node.settle_alert("…", action="close")' },
  { id: 'alerts.acknowledgeAll', title: 'staffAlerts.actionAckAll', section: 'write', keys: ['shift+k'], run: inAlerts('acknowledge-all'), python: () => 'node.settle_alerts(ids=[row.id for row in node.alerts(state="raised")], action="acknowledge")' },
  { id: 'alerts.area', title: 'staffAlerts.newArea', section: 'write', when: (shell) => shell.desk.past.value === null, run: inAlerts('area') },
  { id: 'alerts.silence', title: 'staffAlerts.newSilence', section: 'write', when: (shell) => shell.desk.past.value === null, run: inAlerts('silence') },
]
