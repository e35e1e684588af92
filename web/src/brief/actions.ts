/** The brief, by its name. */
import type { Action } from '../shell/action'
import { presented, steps } from './kept'

export const BRIEF_ACTIONS: Action[] = [
  {
    id: 'brief.present',
    title: 'brief.action',
    section: 'map',
    when: () => steps.value.length > 0 && presented.value === null,
    run: (shell) => {
      shell.open('map')
      presented.value = 0
    },
  },
]
