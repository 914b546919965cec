// An API server of definitions and their objects, by Kubernetes' own code and with etcd. It takes the flags that EnvtestCluster gives a
// kube-apiserver, heeds those that it needs, and lets everybody do everything; of the core's kinds it has the namespace default in name only.
package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	noop "go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	definitions "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	"k8s.io/apiserver/pkg/server"
	served "k8s.io/apiserver/pkg/util/openapi"
	"k8s.io/apiserver/pkg/util/webhook"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
)

// No definition here has a conversion webhook.
type noServices struct{}

func (noServices) ResolveEndpoint(string, string, int32) (*url.URL, error) {
	return nil, http.ErrNotSupported
}

func flag(name string) string {
	for i, word := range os.Args {
		if value, found := strings.CutPrefix(word, "--"+name); found && value == "" && i+1 < len(os.Args) {
			return os.Args[i+1]
		} else if found && strings.HasPrefix(value, "=") {
			return value[1:]
		}
	}
	return ""
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	all := options.NewCustomResourceDefinitionsServerOptions(os.Stdout, os.Stderr)
	recommended := all.RecommendedOptions
	recommended.Etcd.StorageConfig.Transport.ServerList = []string{flag("etcd-servers")}
	recommended.SecureServing.BindAddress = net.IPv4(127, 0, 0, 1)
	port, err := strconv.Atoi(flag("secure-port"))
	must(err)
	recommended.SecureServing.BindPort = port
	recommended.SecureServing.ServerCert.CertKey.CertFile = flag("tls-cert-file")
	recommended.SecureServing.ServerCert.CertKey.KeyFile = flag("tls-private-key-file")
	must(all.Complete())

	common := server.NewRecommendedConfig(apiserver.Codecs)
	must(all.ServerRunOptions.ApplyTo(&common.Config))
	must(recommended.Etcd.ApplyTo(&common.Config))
	must(recommended.SecureServing.ApplyTo(&common.Config.SecureServing, &common.Config.LoopbackClientConfig))
	must(all.APIEnablement.ApplyTo(&common.Config, apiserver.DefaultAPIResourceConfigSource(), apiserver.Scheme))
	common.SharedInformerFactory = informers.NewSharedInformerFactory(fake.NewClientset(), 0)
	common.Authentication.Authenticator = authenticator.RequestFunc(func(*http.Request) (*authenticator.Response, bool, error) {
		return &authenticator.Response{User: &user.DefaultInfo{Name: "admin", Groups: []string{user.SystemPrivilegedGroup}}}, true, nil
	})
	common.Authorization.Authorizer = authorizerfactory.NewAlwaysAllowAuthorizer()
	common.OpenAPIV3Config = server.DefaultOpenAPIV3Config(
		served.GetOpenAPIDefinitionsWithoutDisabledFeatures(definitions.GetOpenAPIDefinitions), openapi.NewDefinitionNamer(apiserver.Scheme, scheme.Scheme))

	config := &apiserver.Config{GenericConfig: common, ExtraConfig: apiserver.ExtraConfig{
		CRDRESTOptionsGetter: options.NewCRDRESTOptionsGetter(*recommended.Etcd, common.ResourceTransformers, common.StorageObjectCountTracker),
		ServiceResolver:      noServices{},
		AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, common.LoopbackClientConfig, noop.NewTracerProvider()),
	}}
	made, err := config.Complete().New(server.NewEmptyDelegate())
	must(err)
	generic := made.GenericAPIServer
	for path, text := range map[string]string{
		"/api/v1":                    `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[]}`,
		"/api/v1/namespaces/default": `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}`,
	} {
		generic.Handler.NonGoRestfulMux.HandleFunc(path, func(response http.ResponseWriter, _ *http.Request) {
			response.Header().Set("Content-Type", "application/json")
			io.WriteString(response, text)
		})
	}
	must(generic.PrepareRun().RunWithContext(server.SetupSignalContext()))
}
