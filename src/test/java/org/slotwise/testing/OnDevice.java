package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a test an {@link NDManager} on the device that the suite runs on, and closes it after the
 * test. The one place where that device is chosen: {@code -Dslotwise.device=cpu|gpu0|auto}, auto
 * being a GPU if the engine sees one. The engine's generator starts at the same seed in every test.
 */
public final class OnDevice implements BeforeEachCallback, AfterEachCallback, ParameterResolver {

    private static final Logger LOG = LoggerFactory.getLogger(OnDevice.class);
    private static final Namespace SPACE = Namespace.create(OnDevice.class);
    private static final NDManager BASE = NDManager.newBaseManager(device(), "PyTorch");

    static {
        LOG.info("Tests run on {}, {}", BASE.getDevice(), BASE.getEngine());
    }

    /** The device that the suite runs on. */
    public static Device device() {
        String name = System.getProperty("slotwise.device", "auto");
        Engine engine = Engine.getEngine("PyTorch");
        if ("auto".equals(name)) {
            return engine.getGpuCount() > 0 ? Device.gpu() : Device.cpu();
        }
        return Device.fromName(name, engine);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        BASE.getEngine().setRandomSeed(0);
        manager(context);
    }

    private static NDManager manager(ExtensionContext context) {
        return context.getStore(SPACE)
                .getOrComputeIfAbsent("manager", k -> BASE.newSubManager(), NDManager.class);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        manager(context).close();
        assertEquals(0, BASE.getManagedArrays().size(), "arrays left behind in the base manager");
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == NDManager.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return manager(context);
    }
}
