import { defineConfig } from 'vite';

export default defineConfig({
  // index.html is served at `/`, everything else below `/app/`.
  base: '/app/',
  build: {
    target: 'es2022',
    // A `data:` address would need more than `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});
