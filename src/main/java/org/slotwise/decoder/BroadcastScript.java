package org.slotwise.decoder;

import org.slotwise.torchscript.ScriptModule;

/**
 * The first layer of a {@link SpatialBroadcastDecoder} in TorchScript: {@code first(v, p)} of slots
 * v (B K, D, 1, 1) and the grid's places p (h w, 2).
 *
 * <p>Of a plain convolution the grids of slots are not made, as in {@link BroadcastConvolution};
 * and that of the places takes 5 channels, [p, 1 - p, 1], in place of the D that they are embedded
 * in: the embedding is linear.
 */
record BroadcastScript(
        int slotDim, int height, int width, BroadcastArchitecture.Layer layer, boolean joined) {

    private static final String FIRST = ScriptModule.self("decoder", 0);

    private static final String WHOLE =
            """
            def first(self, v: Tensor, p: Tensor) -> Tensor:
            """;

    private static final String JOINED =
            """
              c = torch.reshape(torch.transpose(torch.cat([p, torch.rsub(p, 1)], 1), 0, 1), [1, 4, %2$s, %3$s])
              m = torch.size(v, 0)
              x = torch.cat([torch.expand(v, [m, %1$s, %2$s, %3$s]), torch.expand(c, [m, 4, %2$s, %3$s])], 1)
            """;

    private static final String ADDED =
            """
              zeros = torch.unsqueeze(torch.mul(torch.expand(torch.slice(p, 1, 0, 1, 1), [-1, %1$s]), 0), 0)
              e = torch.transpose(self.positional_embedding.forward(zeros, p), 1, 2)
              x = torch.add(v, torch.reshape(e, [1, %1$s, %2$s, %3$s]))
            """;

    private static final String OF_PLACES_JOINED =
            """
              code = torch.cat([p, torch.rsub(p, 1)], 1)
              places = torch.slice(k, 1, %1$s, None, 1)
            """;

    private static final String OF_PLACES_ADDED =
            """
              code = torch.cat([p, torch.rsub(p, 1), torch.ones_like(torch.slice(p, 1, 0, 1, 1))], 1)
              dense = self.positional_embedding.dense
              w = torch.cat([dense.weight, torch.unsqueeze(dense.bias, 1)], 1)
              places = torch.permute(torch.matmul(torch.permute(k, [0, 2, 3, 1]), w), [0, 3, 1, 2])
            """;

    /** Edges and the middle of the slots' part, stretched; then the places' part. */
    private static final String SHORT =
            """
              c = torch.reshape(torch.transpose(code, 0, 1), [1, -1, %1$s, %2$s])
              e = torch.conv2d(torch.contiguous(c, memory_format=2), places, %3$s.bias, [1, 1], [%4$s, %4$s])
              small = torch.expand(v, [-1, -1, %5$s, %5$s])
              s = torch.conv2d(torch.contiguous(small, memory_format=2), torch.slice(k, 1, 0, %6$s, 1), None, [1, 1], [%4$s, %4$s])
              r = torch.permute(s, [0, 2, 3, 1])
              middle = torch.expand(torch.slice(r, 1, %4$s, %7$s, 1), [-1, %8$s, -1, -1])
              r = torch.cat([torch.slice(r, 1, 0, %4$s, 1), middle, torch.slice(r, 1, %7$s, None, 1)], 1)
              middle = torch.expand(torch.slice(r, 2, %4$s, %7$s, 1), [-1, -1, %9$s, -1])
              r = torch.cat([torch.slice(r, 2, 0, %4$s, 1), middle, torch.slice(r, 2, %7$s, None, 1)], 2)
              return torch.add(torch.permute(r, [0, 3, 1, 2]), e)
            """;

    /** The method, with names that the decoder's module has. */
    String code() {
        int kernel = layer.kernel();
        if (layer.transposed() || !BroadcastConvolution.fits(height, width, kernel)) {
            return WHOLE
                    + (joined ? JOINED : ADDED).formatted(slotDim, height, width)
                    + "  return "
                    + FIRST
                    + ".forward(x)\n";
        }
        int half = kernel / 2;
        return WHOLE
                + "  k = "
                + FIRST
                + ".weight\n"
                + (joined ? OF_PLACES_JOINED : OF_PLACES_ADDED).formatted(slotDim)
                + SHORT.formatted(
                        height,
                        width,
                        FIRST,
                        half,
                        kernel,
                        slotDim,
                        half + 1,
                        height - 2 * half,
                        width - 2 * half);
    }
}
