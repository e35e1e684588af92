/** What can be changed of how the map shows things. */
import { nextTrails } from '../replay/trails'
import type { Action } from '../shell/action'
import { toggleLabels } from './fullLabels'
import { toggleGathering } from './gathering'
import { toggleGrid } from './gridShown'

export const MAP_ACTIONS: readonly Action[] = [
  { id: 'map.grid', title: 'onMap.grid', section: 'map', keys: ['g'], run: toggleGrid },
  { id: 'map.gather', title: 'onMap.gather', section: 'map', keys: ['shift+g'], run: toggleGathering },
  { id: 'map.labels', title: 'onMap.labels', section: 'map', keys: ['t'], run: toggleLabels },
  { id: 'map.trails', title: 'trails.next', section: 'map', keys: ['shift+b'], run: nextTrails },
]
