package org.slotwise.api;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Arrays that claim to belong to another engine. */
final class FakeEngine {

    private FakeEngine() {}

    static NDArray array(NDArray array) {
        NDManager manager =
                (NDManager)
                        claiming(
                                NDManager.class,
                                array.getManager(),
                                "getEngine",
                                Engine.getEngine("OnnxRuntime"));
        return (NDArray) claiming(NDArray.class, array, "getManager", manager);
    }

    private static Object claiming(Class<?> type, Object real, String method, Object answer) {
        InvocationHandler handler =
                (proxy, called, arguments) -> {
                    if (called.getName().equals(method)) {
                        return answer;
                    }
                    try {
                        return called.invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                };
        return Proxy.newProxyInstance(
                FakeEngine.class.getClassLoader(), new Class<?>[] {type}, handler);
    }
}
