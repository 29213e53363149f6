package org.slotwise.unet;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slotwise.layer.Layer;
import org.slotwise.layer.ResnetBlock;
import org.slotwise.torchscript.ScriptModule;

/** The way of {@link UNetLayers} through its parts in TorchScript, and the parts by their names. */
final class UNetScript {

    private static final String WHO = "UNet";
    private static final String FORWARD =
            """
            def forward(self, sample: Tensor, timestep: Tensor%s) -> Tensor:
              e = self.embedded(sample, timestep)
              h = self.conv_in.forward(sample)
            %s\
              return self.conv_out.forward(self.conv_norm_out.activated(h))
            def embedded(self, sample: Tensor, timestep: Tensor) -> Tensor:
              t = torch.to(timestep, ops.prim.device(sample), ops.prim.dtype(sample))
              t = torch.expand(torch.reshape(t, [-1]), [torch.size(sample, 0)])
              return torch.silu(self.time_embedding.forward(self.time_proj.forward(t)))
            """;
    private static final String SLOTS =
            """
              slots = torch.flatten(encoder_hidden_states, 0, 1)
            """;
    private static final String TELL =
            """
            def tell(self, encoder_hidden_states: Tensor) -> List[Tensor]:
              slots = torch.flatten(encoder_hidden_states, 0, 1)
              batch = torch.size(encoder_hidden_states, 0)
              w = torch.cat([%1$s], 0)
              b = torch.cat([%2$s], 0)
              told = [w, b]
            %3$s\
              return told
            def step(self, sample: Tensor, timestep: Tensor, told: List[Tensor]) -> Tensor:
              e = torch.linear(self.embedded(sample, timestep), told[0], told[1])
              all = torch.view(e, [torch.size(sample, 0), -1, 1, 1])
              t = torch.split_with_sizes(all, [%4$s], 1)
              h = self.conv_in.forward(sample)
            %5$s\
              return self.conv_out.forward(self.conv_norm_out.activated(h))
            def told(self, sample: Tensor, timestep: Tensor, %6$s) -> Tensor:
              return self.step(sample, timestep, [%7$s])
            """;

    private final boolean told;
    private final StringBuilder code = new StringBuilder();
    private final StringBuilder tell = new StringBuilder();
    private final StringBuilder step = new StringBuilder();
    private final List<String> projections = new ArrayList<>();
    private int given = 2;
    private final Deque<String> kept = new ArrayDeque<>();

    private UNetScript(boolean told) {
        this.told = told;
    }

    /** The module of a network. */
    static ScriptModule of(UNetLayers network, boolean told) {
        UNetScript script = new UNetScript(told);
        ScriptModule.Builder module =
                ScriptModule.builder(WHO)
                        .module("conv_in", network.first().script())
                        .module("time_proj", network.times().script())
                        .module("time_embedding", network.time().script());
        script.keep();
        module.module("down_blocks", script.levels(network.down(), "down_blocks"));
        module.module("mid_block", script.middle(network.middle(), network.afterMiddle()));
        module.module("up_blocks", script.levels(network.up(), "up_blocks"));
        return module.module("conv_norm_out", network.norm().script())
                .module("conv_out", network.last().script())
                .setCode(script.whole())
                .build();
    }

    private String whole() {
        if (!told) {
            return FORWARD.formatted("", code);
        }
        String forward =
                FORWARD.formatted(", encoder_hidden_states: Tensor", SLOTS + code);
        List<String> arguments = new ArrayList<>();
        for (int i = 0; i < given; i++) {
            arguments.add("a" + i);
        }
        String all = String.join(", ", arguments);
        return forward
                + TELL.formatted(
                        each("%s.weight"),
                        each("%s.bias"),
                        tell,
                        each("torch.size(%s.weight, 0)"),
                        step,
                        all.replaceAll("a\\d+", "$0: Tensor"),
                        all);
    }

    private String each(String pattern) {
        return String.join(", ", projections.stream().map(pattern::formatted).toList());
    }

    private void line(String line) {
        line(line, line);
    }

    private void line(String forward, String stepping) {
        code.append("  ").append(forward).append('\n');
        step.append("  ").append(stepping).append('\n');
    }

    private void keep() {
        String name = "kept" + kept.size();
        line(name + " = h");
        kept.push(name);
    }

    private ScriptModule levels(List<UNetLevel> levels, String name) {
        boolean down = name.startsWith("down");
        List<ScriptModule> all = new ArrayList<>();
        for (UNetLevel level : levels) {
            String path = ScriptModule.self(name, all.size());
            List<ScriptModule> residuals = new ArrayList<>();
            List<ScriptModule> attentions = new ArrayList<>();
            for (UNetLevel.Stage stage : level.stages()) {
                if (!down) {
                    line("h = torch.cat([h, " + kept.pop() + "], 1)");
                }
                stage(path, stage, residuals, attentions);
                if (down) {
                    keep();
                }
            }
            Layer resize = level.resize();
            String resizers = down ? "downsamplers" : "upsamplers";
            if (resize != null) {
                line("h = " + part(path, resizers, 0) + ".forward(h)");
                if (down) {
                    keep();
                }
            }
            ScriptModule.Builder module =
                    ScriptModule.builder(down ? "DownBlock" : "UpBlock")
                            .module("resnets", ScriptModule.list(residuals))
                            .module("attentions", listed(attentions));
            if (resize != null) {
                ScriptModule one = ScriptModule.of(WHO, resize);
                module.module(resizers, ScriptModule.list(List.of(one)));
            }
            all.add(module.setCode("").build());
        }
        return ScriptModule.list(all);
    }

    private ScriptModule middle(
            UNetLevel.Stage stage, ResnetBlock after) {
        List<ScriptModule> residuals = new ArrayList<>();
        List<ScriptModule> attentions = new ArrayList<>();
        String path = ScriptModule.self("mid_block");
        stage(path, stage, residuals, attentions);
        residual(path, after, residuals);
        return ScriptModule.builder("MidBlock")
                .module("resnets", ScriptModule.list(residuals))
                .module("attentions", listed(attentions))
                .setCode("")
                .build();
    }

    private static @Nullable ScriptModule listed(List<ScriptModule> modules) {
        return modules.isEmpty() ? null : ScriptModule.list(modules);
    }

    private void stage(
            String path,
            UNetLevel.Stage stage,
            List<ScriptModule> residuals,
            List<ScriptModule> attentions) {
        residual(path, stage.residual(), residuals);
        if (stage.attention() != SlotLayer.NONE) {
            String attention = part(path, "attentions", attentions.size());
            attentions.add(ScriptModule.of(WHO, stage.attention()));
            if (stage.attention() instanceof SpatialTransformer transformer) {
                int next = given + 3 * transformer.blocks().size();
                line(
                        "h = " + attention + ".forward(h, slots)",
                        "h = %s.told(h, torch.slice(told, %s, %s))"
                                .formatted(attention, given, next));
                tell.append("  told = torch.add(told, ").append(attention);
                tell.append(".tell(slots, batch))\n");
                given = next;
            } else {
                line("h = " + attention + ".forward(h)");
            }
        }
    }

    private void residual(String path, ResnetBlock block, List<ScriptModule> residuals) {
        String name = part(path, "resnets", residuals.size());
        line(
                "h = " + name + ".forward(h, e)",
                "h = %s.told(h, t[%s])".formatted(name, projections.size()));
        projections.add(name + ".time_emb_proj");
        residuals.add(block.script());
    }

    private static String part(String path, String list, int number) {
        return "getattr(" + path + "." + list + ", \"" + number + "\")";
    }
}
