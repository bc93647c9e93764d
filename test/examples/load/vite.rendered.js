import react from '@vitejs/plugin-react';
export default ({ isSsrBuild }) => ({
  plugins: [react()],
  build: isSsrBuild ? { outDir: 'server' } : { rolldownOptions: { input: 'rendered.html' } },
});
