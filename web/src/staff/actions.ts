/** What can be done in the staff's panels, by keys and by name. */
import type { Action } from '../shell/actions'

const inOrbat = (what: string): Action['run'] => async (shell) => {
  shell.open('orbat')
  await shell.focus(`orbat.${what}`)
}

export const STAFF_ACTIONS: readonly Action[] = [
  { id: 'orbat.new', title: 'staffOrbat.actionNew', section: 'write', run: inOrbat('new'), python: () => 'node.create_unit(unit={"name": "…"})' },
  { id: 'orbat.move', title: 'staffOrbat.actionMove', section: 'write', keys: ['shift+m'], run: inOrbat('move'), python: () => 'node.move_unit(id="…", parent="…")' },
  { id: 'orbat.edit', title: 'staffOrbat.actionEdit', section: 'write', keys: ['f2'], run: inOrbat('edit') },
]
