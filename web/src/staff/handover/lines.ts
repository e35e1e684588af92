/** The lines of a handover by section, and the remarks that are being written, kept on this machine. */
import type { HandoverLine } from '../../api.generated'

/** What is late comes first; what is merely new, last. */
export const SECTIONS = ['overdue', 'promised', 'unsure', 'open', 'changed', 'new'] as const
export type Section = (typeof SECTIONS)[number]

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
