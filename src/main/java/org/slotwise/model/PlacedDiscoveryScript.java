package org.slotwise.model;

import ai.djl.nn.Block;
import org.slotwise.torchscript.ScriptModule;

/**
 * A whole model of the make of the shipped ones, in TorchScript, without a graph and for images of
 * its own size: {@code forward(images)} gives what the equations of a file give, and {@code before}
 * and {@code after} what comes before and after the grouping, where that is computed elsewhere.
 * What follows from the size alone is made when it is loaded.
 */
final class PlacedDiscoveryScript {

    private static final String WHO = "PlacedDiscovery";

    private static final String FORWARD =
            """
            def before(self, images: Tensor) -> Dict[str, Tensor]:
              out = self.conditioning.infer(images, self.begin)
              torch._set_item(out, "features", self.encoder.infer(%1$s, self.code))
              torch._set_item(out, "positions", self.positions)
              return out
            def after(self, objects: Tensor, slot_positions: Tensor, is_empty: Optional[Tensor]=None) -> Dict[str, Tensor]:
              out = self.decoder.infer(objects, slot_positions, is_empty, self.image_rows, self.image_columns, self.image_turns)
            %2$s
              return out
            def forward(self, images: Tensor) -> Dict[str, Tensor]:
              b = self.before(images)
              g = self.grouping.infer(torch.__getitem__(b, "features"), self.places, self.columns, self.waves, self.turns, torch.__getitem__(b, "conditioning"), torch.get(b, "slot_positions"), torch.get(b, "guess"), torch.get(b, "is_empty"))
              out = self.after(torch.__getitem__(g, "objects"), torch.__getitem__(g, "slot_positions"), torch.get(g, "is_empty"))
              for name in ["objects", "feature_attributions", "is_empty", "slot_positions"]:
                if torch.__contains__(g, name):
                  torch._set_item(out, name, torch.__getitem__(g, name))
              return out
            """;

    private static final String SCALED =
            """
              for seen in ["reconstruction", "slot_images"]:
                y = torch.mul(torch.__getitem__(out, seen), %s)
                torch._set_item(out, seen, torch.add(y, %s))
            """;

    private static final String SETTLE =
            """
            def settle(self) -> NoneType:
              like = self.conditioning.start
              positions, code, = self.encoder.settled(like, %s, %s)
              self.code = code
              self.positions = positions
              places, columns, waves, turns, = self.grouping.settled(positions)
              self.places = places
              self.columns = columns
              self.waves = waves
              self.turns = turns
              image_rows, image_columns, image_turns, = self.decoder.settled(like)
              self.image_rows = image_rows
              self.image_columns = image_columns
              self.image_turns = image_turns
              self.begin = self.conditioning.settled()
              return None
            """;

    private PlacedDiscoveryScript() {}

    static ScriptModule of(
            Block encoder,
            Block conditioning,
            Block grouping,
            Block decoder,
            ObjectDiscoveryConfiguration c) {
        double mean = c.colours().mean();
        double deviation = c.colours().deviation();
        boolean scaled = mean != 0 || deviation != 1;
        String seen =
                scaled
                        ? "torch.div(torch.sub(images, %s), %s)".formatted(mean, deviation)
                        : "images";
        String unscaled =
                scaled ? SCALED.formatted(deviation, mean) : "  # colours are as they are";
        return ScriptModule.builder(WHO)
                .module("encoder", ScriptModule.of(WHO, encoder))
                .module("conditioning", ScriptModule.of(WHO, conditioning))
                .module("grouping", ScriptModule.of(WHO, grouping))
                .module("decoder", ScriptModule.of(WHO, decoder))
                .setCode(FORWARD.formatted(seen, unscaled.stripTrailing()))
                .optInference(SETTLE.formatted(c.imageHeight(), c.imageWidth()))
                .optSettled(
                        "code",
                        "positions",
                        "places",
                        "columns",
                        "waves",
                        "turns",
                        "image_rows",
                        "image_columns",
                        "image_turns",
                        "begin")
                .build();
    }
}
