/** Builds the page from web/ into src/aquila/static, which the node serves from `/`. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Puts a `.br` and a `.gz` beside every text of the page: the node sends them as they are, and packs nothing. */
function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    async closeBundle() {
      const folder = here('src/aquila/static')
      for (const name of await readdir(folder, { recursive: true })) {
        if (!/\.(js|css|html|svg)$/.test(name)) continue
        const path = join(folder, name)
        const text = await readFile(path)
        await writeFile(`${path}.gz`, gzipSync(text, { level: 9 }))
        await writeFile(`${path}.br`, brotliCompressSync(text))
      }
    },
  }
}

export default defineConfig({
  root: here('web'),
  plugins: [vue(), packed()],
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
  },
  build: {
    outDir: here('src/aquila/static'),
    emptyOutDir: true,
    target: 'es2022',
    // The node's CSP knows no data: fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    // MapLibre and milsymbol are most of it; the page shows nothing without them.
    chunkSizeWarningLimit: 2400,
    rollupOptions: {
      output: {
        // A module worker must come as JavaScript; some servers do not know `.mjs`.
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith('.mjs'))
            ? 'assets/[name]-[hash].js'
            : 'assets/[name]-[hash][extname]',
      },
    },
  },
  // The reader of GeoTIFF loads what unpacks a file when it meets one.
  worker: { format: 'es' },
  // What the node and the page say alike lies beside the node's code.
  server: { host: '127.0.0.1', port: 5173, fs: { allow: [here('.')] } },
  test: {
    root: here('.'),
    include: ['web/test/**/*.test.ts', 'src/aquila/features/*/web/**/*.test.ts'],
    environment: 'node',
    // A slow machine is no fault; what hangs is.
    testTimeout: 30_000,
  },
})
