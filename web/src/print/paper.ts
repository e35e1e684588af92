/** The papers, called as style sheets call the size of a page, and how fine their pictures are. */
export const PAPERS = ['A4 landscape', 'A4 portrait', 'A3 landscape', 'A3 portrait'] as const
export type Paper = (typeof PAPERS)[number]
export const PAPER_MM: Record<Paper, [width: number, height: number]> = {
  'A4 landscape': [297, 210],
  'A4 portrait': [210, 297],
  'A3 landscape': [420, 297],
  'A3 portrait': [297, 420],
}
const KEPT = 'aquila.paper'

/** Dots per millimetre: about 200 dpi on A4, 150 on A3, so that both fit into a browser's memory. */
export function dotsPerMm(paper: Paper): number {
  return paper.startsWith('A4') ? 8 : 6
}

/** The paper that this browser printed on last. */
export function keptPaper(): Paper {
  const kept = localStorage.getItem(KEPT)
  return PAPERS.find((one) => one === kept) ?? PAPERS[0]
}
export function keepPaper(paper: Paper): void {
  localStorage.setItem(KEPT, paper)
}
