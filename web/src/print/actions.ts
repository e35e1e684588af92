/** Paper and pictures of the map. */
import type { Action } from '../shell/action'

export const PRINT_ACTIONS: Action[] = [
  { id: 'print', title: 'print.open', also: 'palette.also.print', section: 'map', keys: ['ctrl+p'], in_fields: true, run: (shell) => (shell.overlay.value = 'print') },
]
