/** The lines of a handover by section, and the remarks that are being written, kept on this machine. */
import type { HandoverLine } from '../../api.generated'

/** In the order of the node: the most pressing first. A line stands under the first that fits, so none stands twice. */
export const SECTIONS = ['overdue', 'promised', 'unsure', 'new', 'changed', 'open'] as const
export type Section = (typeof SECTIONS)[number]
/** Sections of so many lines stand whole in one column. */
export const SHORT = 8

export function sectionsOf(lines: readonly HandoverLine[]): Map<Section, HandoverLine[]> {
  const found = new Map<Section, HandoverLine[]>(SECTIONS.map((name) => [name, []]))
  for (const line of lines) found.get(line.section)?.push(line)
  return found
}

const KEPT = 'aquila.draft.handover'
export const keptRemarks = () => localStorage.getItem(KEPT) ?? ''
export function keepRemarks(text: string): void {
  if (text) localStorage.setItem(KEPT, text)
  else localStorage.removeItem(KEPT)
}
