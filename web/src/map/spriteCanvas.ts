/**
 * Thousands of moving symbols in one draw call, on a canvas of their own over the map.
 *
 * Their own canvas, because an update then costs one draw call and not a frame of the whole map; and
 * because a lost WebGL context of either is mended by itself. Places are mercator hi/lo pairs
 * relative to the map's centre, so they are exact at every zoom; sizes are CSS pixels, so they are
 * right at every pixel ratio; each visible copy of the world gets its own call. The map is flat and
 * north is up (the adapter allows nothing else). Nothing here owns the truth: batch and atlas do.
 */
import type { Atlas } from './atlas'
import { STRIDE_BYTES, SUBPIXEL, type SpriteBatch } from './batch'

const VERTEX = `#version 300 es
precision highp float;
in vec2 corner; in vec4 place; in vec4 cell; in vec2 offset; in vec2 size; in float opacity;
uniform vec4 centre; uniform vec2 viewport; uniform float scale, copy, ratio, snap;
out vec2 uv; out float alpha;
void main() {
  vec2 from_centre = (place.xy - centre.xy) + (place.zw - centre.zw) + vec2(copy, 0.0);
  vec2 screen = from_centre * scale + viewport * 0.5 + offset / ${SUBPIXEL}.0;
  // On whole device pixels the symbols are crisp; while the map moves that would tremble.
  if (snap > 0.5) screen = floor(screen * ratio + 0.5) / ratio;
  screen += corner * size / ${SUBPIXEL}.0;
  gl_Position = vec4((screen / viewport - 0.5) * vec2(2.0, -2.0), 0.0, 1.0);
  uv = mix(cell.xy, cell.zw, corner);
  alpha = opacity;
}`

const FRAGMENT = `#version 300 es
precision mediump float;
in vec2 uv; in float alpha; uniform sampler2D atlas; out vec4 colour;
void main() {
  colour = texture(atlas, uv) * alpha;
  if (colour.a < 0.004) discard;
}`

const ATTRIBUTES = ['corner', 'place', 'cell', 'offset', 'size', 'opacity'] as const
const UNIFORMS = ['centre', 'viewport', 'scale', 'copy', 'ratio', 'snap', 'atlas'] as const

/** Who moved less than this (device pixels) since it was drawn stands where it stood: a walker does so for seconds. */
const SLACK_PX = 0.25

export interface SpriteView {
  /** The middle of the map in mercator; x may lie outside 0..1 on other world copies. */
  x: number
  y: number
  /** CSS pixels of the whole world. */
  world_px: number
  width_px: number
  height_px: number
  pixel_ratio: number
  moving: boolean
}

function compile(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const shader = gl.createShader(type)!
  gl.shaderSource(shader, source)
  gl.compileShader(shader)
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
    throw new Error(`sprite shader: ${gl.getShaderInfoLog(shader) ?? 'no log'}`)
  }
  return shader
}

/** What lives in one WebGL context, and dies with it. */
interface Made {
  vertices: WebGLVertexArrayObject
  instances: WebGLBuffer
  instance_bytes: number
  texture: WebGLTexture
  atlas_version: number
  uniforms: Record<string, WebGLUniformLocation | null>
}

function make(gl: WebGL2RenderingContext): Made {
  const program = gl.createProgram()
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX))
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT))
  ATTRIBUTES.forEach((name, slot) => gl.bindAttribLocation(program, slot, name))
  gl.linkProgram(program)
  gl.useProgram(program)
  const uniforms = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]))
  gl.uniform1i(uniforms.atlas, 0)

  const vertices = gl.createVertexArray()
  gl.bindVertexArray(vertices)
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer())
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW)
  gl.enableVertexAttribArray(0)
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0)
  const instances = gl.createBuffer()
  gl.bindBuffer(gl.ARRAY_BUFFER, instances)
  const columns: [number, number, boolean, number][] = [
    [4, gl.FLOAT, false, 0],
    [4, gl.UNSIGNED_SHORT, true, 16],
    [2, gl.SHORT, false, 24],
    [2, gl.UNSIGNED_SHORT, false, 28],
    [1, gl.FLOAT, false, 32],
  ]
  columns.forEach(([width, type, normalised, at], column) => {
    gl.enableVertexAttribArray(column + 1)
    gl.vertexAttribPointer(column + 1, width, type, normalised, STRIDE_BYTES, at)
    gl.vertexAttribDivisor(column + 1, 1)
  })

  const texture = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, texture)
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.LINEAR)
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE)
  gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true)
  gl.enable(gl.BLEND)
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  gl.disable(gl.DEPTH_TEST)
  return { vertices, instances, instance_bytes: 0, texture, atlas_version: -1, uniforms }
}

export class SpriteCanvas {
  readonly canvas = document.createElement('canvas')
  private readonly gl: WebGL2RenderingContext | null
  private made: Made | null = null
  private dirty = true
  private is_due = false
  /** What was given to the graphics last, and the picture of the symbols that it means. */
  private drawn = new Float32Array(0)

  /** `view` is asked when something is drawn. */
  constructor(
    host: HTMLElement,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
    private readonly view: () => SpriteView,
  ) {
    const { canvas } = this
    canvas.className = 'map-sprites'
    canvas.setAttribute('aria-hidden', 'true')
    Object.assign(canvas.style, { position: 'absolute', left: '0', top: '0', width: '100%', height: '100%', pointerEvents: 'none' })
    host.append(canvas)
    // Antialiasing would cost memory and change nothing: sprites are pictures.
    this.gl = canvas.getContext('webgl2', { antialias: false, depth: false, premultipliedAlpha: true })
    canvas.addEventListener('webglcontextlost', (event) => {
      // Without this the browser never gives the context back.
      event.preventDefault()
      this.made = null
    })
    canvas.addEventListener('webglcontextrestored', () => this.touch())
  }

  /** The batch changed; it is drawn when this task is done, if that shows anything new. In a task of a frame, that is the same frame. */
  touch(): void {
    if (this.made && !this.dirty && this.made.atlas_version === this.atlas.version) {
      const view = this.view()
      if (this.batch.looksLike(this.drawn, SLACK_PX / view.pixel_ratio / view.world_px)) return
    }
    this.dirty = true
    if (this.is_due) return
    this.is_due = true
    queueMicrotask(() => {
      if (this.is_due) this.draw()
    })
  }

  private upload(gl: WebGL2RenderingContext, made: Made): void {
    if (made.atlas_version !== this.atlas.version) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, this.atlas.canvas)
      made.atlas_version = this.atlas.version
    }
    if (this.dirty || made.instance_bytes === 0) {
      const bytes = this.batch.bytes()
      if (bytes.byteLength > made.instance_bytes) {
        made.instance_bytes = Math.max(bytes.byteLength + (bytes.byteLength >> 2), 65_536)
        gl.bufferData(gl.ARRAY_BUFFER, made.instance_bytes, gl.DYNAMIC_DRAW)
      }
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, bytes)
      this.keep(bytes)
      this.dirty = false
    }
  }

  private keep(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.drawn.byteLength !== bytes.byteLength) this.drawn = new Float32Array(bytes.byteLength / 4)
    new Uint8Array(this.drawn.buffer).set(bytes)
  }

  /** Draws now: with every frame of the map, so that both show the same moment. */
  draw(): void {
    this.is_due = false
    const { gl, canvas } = this
    if (!gl || gl.isContextLost()) return
    const view = this.view()
    const [width, height] = [Math.round(view.width_px * view.pixel_ratio), Math.round(view.height_px * view.pixel_ratio)]
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
    const made = (this.made ??= make(gl))
    this.upload(gl, made)
    gl.viewport(0, 0, width, height)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT)
    if (!this.batch.count) return
    // Places are stored in the world copy 0; the middle may lie in another one.
    const home = Math.floor(view.x)
    const x = view.x - home
    const hi = [Math.fround(x), Math.fround(view.y)]
    gl.uniform4f(made.uniforms.centre, hi[0], hi[1], x - hi[0], view.y - hi[1])
    gl.uniform2f(made.uniforms.viewport, view.width_px, view.height_px)
    gl.uniform1f(made.uniforms.scale, view.world_px)
    gl.uniform1f(made.uniforms.ratio, view.pixel_ratio)
    gl.uniform1f(made.uniforms.snap, view.moving ? 0 : 1)
    const half = view.width_px / 2 / view.world_px
    for (let copy = Math.floor(x - half); copy <= Math.floor(x + half); copy++) {
      gl.uniform1f(made.uniforms.copy, copy)
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.batch.count)
    }
  }

  destroy(): void {
    this.is_due = false
    this.gl?.getExtension('WEBGL_lose_context')?.loseContext()
    this.canvas.remove()
  }
}
