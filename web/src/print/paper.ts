/** The papers, and how fine their pictures are. */
export type Paper = 'A4' | 'A3'
export const PAPER_MM: Record<Paper, [width: number, height: number]> = { A4: [297, 210], A3: [420, 297] }
/** Dots per millimetre: about 200 dpi on A4, 150 on A3, so that both fit into a browser's memory. */
export const DOTS_PER_MM: Record<Paper, number> = { A4: 8, A3: 6 }
