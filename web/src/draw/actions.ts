/** Drawing from the keyboard: every tool stands in the palette. */
import type { Action } from '../shell/action'
import type { Shell } from '../shell/shell'
import { TOOLS } from './drawings'
import { drawingOf } from './session'

function begin(shell: Shell, tool: (typeof TOOLS)[number]): void {
  shell.full.value = null
  if (shell.phone.value) shell.sheet.value = 'map'
  void drawingOf(shell.desk).begin({ tool })
}

export const DRAW_ACTIONS: readonly Action[] = [
  ...TOOLS.map((tool): Action => ({
    id: `draw.${tool}`,
    title: 'draw.action',
    words: { name: `draw.tool.${tool}` },
    section: 'write',
    keys: tool === 'line' ? ['d'] : [],
    when: (shell) => Boolean(shell.map.value),
    run: (shell) => begin(shell, tool),
  })),
  // Both stand in the panel of layers; which file and which layer is chosen there.
  { id: 'layers.import', title: 'draw.import', also: 'palette.also.import', section: 'write', run: (shell) => shell.open('layers') },
  { id: 'layers.export', title: 'draw.exportLayer', section: 'go', run: (shell) => shell.open('layers') },
]
